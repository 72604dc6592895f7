/** Every match and target by name. */
import type { Family } from '../values/value.js';
import type { AnyExtension, AnyMatch, AnyTarget } from './define.js';
import { matches } from './matches/index.js';
import { targets } from './targets/index.js';

function byName<D extends AnyExtension>(definitions: readonly D[], family: Family): ReadonlyMap<string, D> {
  return new Map(definitions.filter(d => d.families?.includes(family) ?? true).map(d => [d.name, d]));
}

const matchesByName = { ipv4: byName(matches, 'ipv4'), ipv6: byName(matches, 'ipv6') };
const targetsByName = { ipv4: byName(targets, 'ipv4'), ipv6: byName(targets, 'ipv6') };

/** Other names under which iptables finds a match (`xtables_find_match`, libxtables/xtables.c). */
const matchAliases: ReadonlyMap<string, string> = new Map([['icmpv6', 'icmp6'], ['ipv6-icmp', 'icmp6']]);

/** The match of this name for the family, if there is one. */
export function findMatch(name: string, family: Family): AnyMatch | undefined {
  return matchesByName[family].get(matchAliases.get(name) ?? name);
}

/** The target of this name for the family, if there is one. */
export function findTarget(name: string, family: Family): AnyTarget | undefined {
  return targetsByName[family].get(name);
}

/** All matches of a family, in the order of their index. */
export function allMatches(family: Family): readonly AnyMatch[] {
  return [...matchesByName[family].values()];
}

/** All targets of a family, in the order of their index. */
export function allTargets(family: Family): readonly AnyTarget[] {
  return [...targetsByName[family].values()];
}
