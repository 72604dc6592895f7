/** Files that say a part of what is to be, and not all of it. */
import type { Ruleset, Table } from '../../model/ruleset.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import { chainsFrom } from './interference.js';
import { programToCome } from './owners.js';

/**
 * Whether a table has rules in chains of its own and says nothing of built-in ones. Loaded alone it would do nothing at all: it is for `iptables-restore --noflush`, as the
 * files of ufw are, and what leads to its chains stands elsewhere.
 */
export function isPart({ chains }: Table): boolean {
  const all = [...chains.values()];
  return all.some(({ hook, rules }) => hook === undefined && rules.length > 0) && all.every(({ hook, line, rules }) => hook === undefined || (line === 0 && rules.length === 0));
}

/** Whether nothing here leads packets to a chain, and somebody else may: that none comes says nothing of what its rules do. */
export function mayBeEntered(ruleset: Ruleset, table: Table, name: string): boolean {
  const chain = table.chains.get(name);
  if (chain === undefined || (hooksOf(table).get(name) ?? []).length > 0) return false;
  return isPart(table) || [...table.chains.values()].some(one => programToCome(ruleset, one.name) !== undefined && chainsFrom(table, one).has(chain));
}
