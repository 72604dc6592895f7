/** The marks that rules give to connections. */
import type { Ruleset } from '../../model/ruleset.js';
import { hooksOf, rewritingsOf } from '../../packet-space/pipeline/read-ruleset.js';
import type { Rewriting } from '../../packet/rewriting.js';

const known = new WeakMap<Ruleset, number>();

/** The bits of a connection's mark that some rule can set. Connections begin with none, or with those of the one that announced them. */
export function settableBits(ruleset: Ruleset): number {
  let bits = known.get(ruleset);
  if (bits === undefined) {
    bits = 0;
    for (const table of ruleset.tables.values()) {
      const hooks = hooksOf(table);
      for (const { name, rules } of table.chains.values()) for (const rule of rules) for (const one of rewritingsOf(ruleset, table, rule, hooks.get(name) ?? [])) bits |= bitsOf(one);
    }
    known.set(ruleset, bits >>>= 0);
  }
  return bits;
}

function bitsOf(written: Rewriting): number {
  if (written.kind === 'copy') return written.to === 'connmark' ? written.toMask : 0;
  if (written.field !== 'connmark') return 0;
  return written.kind === 'bits' ? written.value : -1;
}
