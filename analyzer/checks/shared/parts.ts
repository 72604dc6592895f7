/** Files that say a part of what is to be, and not all of it. */
import type { Table } from '../../model/ruleset.js';

/**
 * Whether a table has rules in chains of its own and says nothing of built-in ones. Loaded alone it would do nothing at all: it is for `iptables-restore --noflush`, as the
 * files of ufw are, and what leads to its chains stands elsewhere.
 */
export function isPart({ chains }: Table): boolean {
  const all = [...chains.values()];
  return all.some(({ hook, rules }) => hook === undefined && rules.length > 0) && all.every(({ hook, line, rules }) => hook === undefined || (line === 0 && rules.length === 0));
}
