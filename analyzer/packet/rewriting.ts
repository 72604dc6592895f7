/**
 * What a target writes into a packet or its connection, as data, for reasoning about all packets at once. The engine
 * has its own way of doing it (`apply`); a contract test holds the two together.
 */
import type { Constraint, Field, Range } from './constraint.js';

export type MarkField = 'mark' | 'connmark';

/** Which packets are written to, as they come to the rule; the others keep the field. Absent: all. */
interface Written {
  readonly where?: Constraint;
}

export type Rewriting = Written & (
  /** field = (field & ~mask) ^ value */
  | { readonly kind: 'bits'; readonly field: MarkField; readonly value: number; readonly mask: number }
  /** to = (to & ~toMask) ^ (from & fromMask) */
  | { readonly kind: 'copy'; readonly from: MarkField; readonly fromMask: number; readonly to: MarkField; readonly toMask: number }
  /** The field becomes one of these values. */
  | { readonly kind: 'within'; readonly field: Field; readonly ranges: readonly Range[] }
  /** It becomes an address of this host. */
  | { readonly kind: 'local'; readonly field: 'src' | 'dst' }
  /** The bits of `mask` become those of `address`; the others stay. */
  | { readonly kind: 'network'; readonly field: 'src' | 'dst'; readonly address: number | bigint; readonly mask: number | bigint }
  /** Something may be written; what, nobody knows offline. */
  | { readonly kind: 'unknown'; readonly field: Field }
);
