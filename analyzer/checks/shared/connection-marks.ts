/** The marks that rules give to packets, and to connections. */
import { is, masked, oneOf, type Constraint } from '../../packet/constraint.js';
import type { Ruleset } from '../../model/ruleset.js';
import { hooksOf, rewritingsOf } from '../../packet-space/pipeline/read-ruleset.js';
import type { MarkField, Rewriting } from '../../packet/rewriting.js';
import { effectOf } from './targets.js';

/** What rules can do to marks. */
export interface Settable {
  /** The bits that some rule can set. */
  readonly bits: number;
  /** Whether a packet, or its connection, has a mark that rules can give: none; one of those that they set as a whole; else any of such bits. */
  readonly marks: Constraint;
}

const known = new WeakMap<Ruleset, Map<MarkField, Settable>>();
const all = 0xffff_ffff;

/** Connections begin with no mark, or with that of the one that announced them. */
export function settableMarks(ruleset: Ruleset, field: MarkField): Settable {
  let own = known.get(ruleset);
  if (own === undefined) known.set(ruleset, own = new Map<MarkField, Settable>());
  let found = own.get(field);
  if (found === undefined) own.set(field, found = settable(field, [...writingsOf(ruleset, field)]));
  return found;
}

/** All that is written to marks of one kind; undefined: something that nobody knows. */
function* writingsOf(ruleset: Ruleset, field: MarkField): Generator<Rewriting | undefined, void> {
  for (const table of ruleset.tables.values()) {
    const hooks = hooksOf(table);
    for (const { name, rules } of table.chains.values()) for (const rule of rules) {
      // Who takes a packet from a queue may mark it.
      if (field === 'mark' && effectOf(rule) === 'queue') yield undefined;
      for (const one of rewritingsOf(ruleset, table, rule, hooks.get(name) ?? [])) if ((one.kind === 'copy' ? one.to : one.field) === field) yield one;
    }
  }
}

function settable(field: MarkField, writings: readonly (Rewriting | undefined)[]): Settable {
  const bits = writings.reduce((sum, one) => sum | bitsOf(one), 0) >>> 0;
  const whole = writings.flatMap(one => one?.kind === 'bits' && one.mask >>> 0 === all ? one.value >>> 0 : []);
  if (bits === 0) return { bits, marks: is(field, 0) };
  return { bits, marks: whole.length === writings.length ? oneOf(field, [0, ...new Set(whole)]) : masked(field, 0, ~bits >>> 0) };
}

function bitsOf(written: Rewriting | undefined): number {
  switch (written?.kind) {
    case 'copy': return written.toMask;
    case 'bits': return written.value;
    default: return -1;
  }
}
