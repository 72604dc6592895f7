/** A rule set of a host of which it is known what is in its sets. */
import { readIpSets } from '../packet/ip-set/read-ip-sets.js';
import { setContents } from '../packet/ip-set/set-contents.js';
import type { Use } from '../extensions/use.js';
import { isOpaque, type Rule, type Ruleset } from './ruleset.js';

/**
 * The same rules, where `-m set` means what is in the sets: `saved` is what `ipset save` prints. Timeouts are taken not to have run out, and elements
 * that have one may be there or not; so may those of sets that rules themselves change.
 */
export function withIpSets(ruleset: Ruleset, saved: string): Ruleset {
  const { sets } = readIpSets(saved, { now: () => 0 });
  const changed = changedSets(ruleset);
  return {
    ...ruleset,
    sets: { saved: sets.save(), names: new Set([...sets.sets()].map(({ header }) => header.name)), contents: setContents(sets, ruleset.family, name => changed === 'any' || changed.has(name)) },
  };
}

/** The sets that rules put elements into, or take them out of. */
function changedSets({ tables }: Ruleset): ReadonlySet<string> | 'any' {
  const found = new Set<string>();
  for (const { chains } of tables.values()) for (const { rules } of chains.values()) for (const rule of rules) {
    if (rule.target.kind === 'opaque') return 'any';
    for (const name of changedBy(rule)) found.add(name);
  }
  return found;
}

function changedBy({ target }: Rule): readonly string[] {
  return target.kind === 'extension' && target.use.definition.changes?.includes('sets') === true ? setsIn(target.use) : [];
}

/** The sets that a rule asks for, or changes: the kernel refuses it where one of them is not there. */
export function setsNamedBy({ matches, target }: Rule): readonly string[] {
  return [...new Set([...matches.flatMap(use => isOpaque(use) ? [] : setsIn(use)), ...target.kind === 'extension' ? setsIn(target.use) : []])];
}

function setsIn({ given: all }: Pick<Use, 'given'>): readonly string[] {
  return Object.values(all).flatMap(given => {
    const value: unknown = given?.value;
    return typeof value === 'object' && value !== null && 'directions' in value && 'name' in value && typeof value.name === 'string' ? [value.name] : [];
  });
}
