/** The marks that rules give to packets, and to connections. */
import { all, is, masked, oneOf, type Constraint } from '../../packet/constraint.js';
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
  /** The same, where rules give some; else anything, for somebody else may give it. */
  readonly copied: Constraint;
}

type Settables = Readonly<Record<MarkField, Settable>>;

const known = new WeakMap<Ruleset, Settables>();
const wholeMask = 0xffff_ffff;
const other = { mark: 'connmark', connmark: 'mark' } as const;

/** Connections begin with no mark, or with that of the one that announced them. Where rules copy marks that none of them gives, somebody else gives them, whichever they are. */
export function settableMarks(ruleset: Ruleset, field: MarkField): Settable {
  let found = known.get(ruleset);
  if (found === undefined) {
    const writings = { mark: [...writingsOf(ruleset, 'mark')], connmark: [...writingsOf(ruleset, 'connmark')] };
    known.set(ruleset, found = { mark: settable('mark', writings), connmark: settable('connmark', writings) });
  }
  return found[field];
}

type Copy = Extract<Rewriting, { kind: 'copy' }>;
/** Undefined: something that nobody knows. */
type Writings = Readonly<Record<MarkField, readonly (Rewriting | undefined)[]>>;

/** All that is written to marks of one kind. */
function* writingsOf(ruleset: Ruleset, field: MarkField): Generator<Rewriting | undefined, void> {
  for (const table of ruleset.tables.values()) {
    const hooksOfChains = hooksOf(table);
    for (const { name, rules } of table.chains.values()) for (const rule of rules) {
      const hooks = hooksOfChains.get(name) ?? [];
      // Who takes a packet from a queue may mark it.
      if (field === 'mark' && effectOf(rule) === 'queue') yield undefined;
      for (const one of rewritingsOf(ruleset, table, rule, hooks)) {
        if ((one.kind === 'copy' ? one.to : one.field) !== field) continue;
        // What this host sends has the mark that a program gives it.
        const isOfOwn = one.kind === 'copy' && one.from === 'mark' && hooks.some(hook => hook === 'OUTPUT' || hook === 'POSTROUTING');
        yield isOfOwn ? undefined : one;
      }
    }
  }
}

function isCopy(one: Rewriting | undefined): one is Copy {
  return one?.kind === 'copy';
}

/** The bits that rules set by themselves, whatever is copied. */
function ownBits(writings: readonly (Rewriting | undefined)[]): number {
  return writings.reduce((sum, one) => sum | (isCopy(one) ? 0 : one?.kind === 'bits' ? one.value : -1), 0) >>> 0;
}

/** The values that rules set by themselves; undefined where a rule writes a part of the mark only. */
function ownValues(writings: readonly (Rewriting | undefined)[]): readonly number[] | undefined {
  const isWhole = writings.every(one => isCopy(one) ? one.fromMask >>> 0 === wholeMask && one.toMask >>> 0 === wholeMask : one?.kind === 'bits' && one.mask >>> 0 === wholeMask);
  return isWhole ? writings.flatMap(one => one?.kind === 'bits' ? one.value >>> 0 : []) : undefined;
}

function settable(field: MarkField, writings: Writings): Settable {
  const copies = writings[field].filter(isCopy);
  // A copy brings what rules give to the one that it is of, or to this one before it was copied there.
  const sources = copies.length === 0 ? [field] : [field, other[field]];
  const isGiven = copies.length === 0 || ownBits(writings[other[field]]) !== 0 || (ownBits(writings[field]) !== 0 && writings[other[field]].some(isCopy));
  const bits = isGiven ? sources.reduce((sum, one) => (sum | ownBits(writings[one])) >>> 0, 0) : copies.reduce((sum, { toMask }) => (sum | toMask) >>> 0, ownBits(writings[field]));
  if (bits === 0) return { bits, marks: is(field, 0), copied: all([]) };
  const values = isGiven ? sources.map(one => ownValues(writings[one])) : [];
  const isWhole = values.length > 0 && !values.includes(undefined);
  const marks = isWhole ? oneOf(field, [...new Set([0, ...values.flatMap(one => one ?? [])])]) : masked(field, 0, ~bits >>> 0);
  return { bits, marks, copied: marks };
}
