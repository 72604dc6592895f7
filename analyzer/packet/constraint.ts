/**
 * What a match asks of a packet, as data. Every engine reads the same constraint: the
 * concrete one asks it of a packet, exact reasoning turns it into regions of packets.
 * Negation is done here and nowhere else.
 */

/** What a packet has. Addresses are numbers in IPv4 (32 bits) and bigints in IPv6 (128 bits). */
export type Field =
  | 'src' | 'dst' | 'in' | 'out' | 'protocol' | 'fragment'
  | 'sport' | 'dport' | 'tcpFlags' | 'icmpType' | 'icmpCode'
  | 'ctstate' | 'ctdir' | 'mark' | 'connmark'
  | 'length' | 'ttl' | 'dscp' | 'ecn' | 'pkttype' | 'srcMac'
  | 'spi' | 'sctpChunk';

/** The values of field `ctstate`. */
export const ctstates = { INVALID: 0, NEW: 1, ESTABLISHED: 2, RELATED: 3, UNTRACKED: 4 } as const;

/** Inclusive at both ends. */
export interface Range {
  readonly low: number | bigint;
  readonly high: number | bigint;
}

/** What is asked of a packet, as data. Matches and exact reasoning speak in it. */
export type Constraint =
  | { readonly kind: 'always' }
  | { readonly kind: 'never' }
  /** The field lies in one of the ranges. */
  | { readonly kind: 'within'; readonly field: Field; readonly ranges: readonly Range[] }
  /** (field & mask) == value, where value has no bit outside mask. */
  | { readonly kind: 'masked'; readonly field: Field; readonly value: number | bigint; readonly mask: number | bigint }
  /** The interface has this name; with `prefix`, its name begins so. */
  | { readonly kind: 'interface'; readonly field: 'in' | 'out'; readonly name: string; readonly prefix: boolean }
  /** A property that is the same each time it is asked of one packet in one hook; `name` says which. */
  | { readonly kind: 'atom'; readonly name: string }
  /** It may match or not: state, chance, time, or an extension nobody knows. */
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'not'; readonly of: Constraint }
  | { readonly kind: 'all'; readonly of: readonly Constraint[] }
  | { readonly kind: 'any'; readonly of: readonly Constraint[] };

/** One that has no others in it. */
export type Ask = Exclude<Constraint, { readonly kind: 'not' | 'all' | 'any' }>;

/** Every packet. */
export const always: Constraint = { kind: 'always' };
/** No packet. */
export const never: Constraint = { kind: 'never' };

/** `field` is one of `values`. */
export function oneOf(field: Field, values: readonly (number | bigint)[]): Constraint {
  return values.length === 0 ? never : { kind: 'within', field, ranges: values.map(value => ({ low: value, high: value })) };
}

/** `field` is `value`. */
export function is(field: Field, value: number | bigint): Constraint {
  return { kind: 'within', field, ranges: [{ low: value, high: value }] };
}

/** `low` ≤ `field` ≤ `high`. */
export function within(field: Field, low: number | bigint, high: number | bigint): Constraint {
  return low > high ? never : { kind: 'within', field, ranges: [{ low, high }] };
}

/** (`field` & `mask`) == `value`; never where `value` has a bit that `mask` lacks. */
export function masked(field: Field, value: number, mask: number): Constraint {
  if (((value & mask) >>> 0) !== value >>> 0) return never;
  return mask === 0 ? always : { kind: 'masked', field, value: value >>> 0, mask: mask >>> 0 };
}

/** A pure property of the packet that is not modelled further. */
export function atom(name: string): Constraint {
  return { kind: 'atom', name };
}

/** Nothing can be said offline about whether this matches. */
export function unknown(why: string): Constraint {
  return { kind: 'unknown', why };
}

/** Packets of which `of` does not hold. */
export function not(of: Constraint): Constraint {
  switch (of.kind) {
    case 'always': return never;
    case 'never': return always;
    case 'not': return of.of;
    // A negated unknown is as unknown.
    case 'unknown': return of;
    default: return { kind: 'not', of };
  }
}

/** Packets of which each holds; of none: every packet. */
export function all(of: readonly Constraint[]): Constraint {
  const parts = of.some(part => part.kind === 'always') ? of.filter(part => part.kind !== 'always') : of;
  if (parts.some(part => part.kind === 'never')) return never;
  const [first] = parts;
  if (first === undefined) return always;
  return parts.length === 1 ? first : { kind: 'all', of: parts };
}

/** Packets of which one holds, at least; of none: no packet. */
export function any(of: readonly Constraint[]): Constraint {
  const parts = of.some(part => part.kind === 'never') ? of.filter(part => part.kind !== 'never') : of;
  if (parts.some(part => part.kind === 'always')) return always;
  const [first] = parts;
  if (first === undefined) return never;
  return parts.length === 1 ? first : { kind: 'any', of: parts };
}

/** Whether something that a constraint asks is such, in whatever way it asks it: negated, or as one of several things. */
export function asksFor(constraint: Constraint, isSuch: (one: Ask) => boolean): boolean {
  switch (constraint.kind) {
    case 'not': return asksFor(constraint.of, isSuch);
    case 'all': case 'any': for (const one of constraint.of) if (asksFor(one, isSuch)) return true;
      return false;
    default: return isSuch(constraint);
  }
}

/** Whether it asks anything of one of these fields. */
export function mentions(constraint: Constraint, fields: readonly Field[]): boolean {
  return asksFor(constraint, one => 'field' in one && fields.includes(one.field));
}

/** Whether it asks anything that the packet itself does not say. */
export function asksTheUnknown(constraint: Constraint): boolean {
  return asksFor(constraint, isUnsaid);
}

function isUnsaid({ kind }: Ask): boolean {
  return kind === 'atom' || kind === 'unknown';
}
