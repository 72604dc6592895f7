/** Every match and target by name. */
import type { Family } from '../values/value.js';
import type { AnyExtension, AnyMatch, AnyTarget, Declared } from './define.js';
import { matches } from './matches/index.js';
import { targets } from './targets/index.js';

type ByName<D> = ReadonlyMap<string, readonly Declared<D>[]>;

function byName<D>(declared: readonly Declared<D>[]): ByName<D> {
  const found = new Map<string, Declared<D>[]>();
  for (const one of declared) found.set(one.name, [...found.get(one.name) ?? [], one]);
  return found;
}

function isOf(family: Family): (definition: AnyExtension) => boolean {
  return ({ families }) => families?.includes(family) ?? true;
}

function find<D extends AnyExtension>(all: ByName<D>, name: string, family: Family): D | undefined {
  return all.get(name)?.map(one => one.define()).find(isOf(family));
}

const matchesByName = byName(matches);
const targetsByName = byName(targets);

/** Other names under which iptables finds a match (`xtables_find_match`, libxtables/xtables.c). */
const matchAliases: ReadonlyMap<string, string> = new Map([['icmpv6', 'icmp6'], ['ipv6-icmp', 'icmp6']]);

/** The match of this name for the family, if there is one. */
export function findMatch(name: string, family: Family): AnyMatch | undefined {
  return find(matchesByName, matchAliases.get(name) ?? name, family);
}

/** The target of this name for the family, if there is one. */
export function findTarget(name: string, family: Family): AnyTarget | undefined {
  return find(targetsByName, name, family);
}

/** All matches of a family, in the order of their index. */
export function allMatches(family: Family): readonly AnyMatch[] {
  return matches.map(one => one.define()).filter(isOf(family));
}

/** All targets of a family, in the order of their index. */
export function allTargets(family: Family): readonly AnyTarget[] {
  return targets.map(one => one.define()).filter(isOf(family));
}
