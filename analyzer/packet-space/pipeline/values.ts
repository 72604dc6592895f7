/** What a rule writes, in the classes of a space's dimensions. */
import type { Rewriting } from '../../packet/rewriting.js';
import type { Constraint, Field, Range } from '../../packet/constraint.js';
import { within } from '../../packet/constraint.js';
import type { Dimension, Dimensions } from '../dimensions.js';
import { classOf, isNumeric, scalarOf, type Scalar } from '../fields.js';

/** One dimension gets a new class. */
export type Write =
  | { readonly kind: 'class'; readonly dimension: number; readonly value: number }
  | { readonly kind: 'copy'; readonly dimension: number; readonly from: number }
  /** One of the classes low … high, and nobody knows which. */
  | { readonly kind: 'free'; readonly dimension: number; readonly low: number; readonly high: number };

/** What routing goes by: whoever writes it in OUTPUT may send the packet another way, so that it must be seen that it was written. */
export const routes: ReadonlySet<Field> = new Set<Field>(['mark', 'src', 'dst', 'dscp', 'ecn']);

/** What the dimensions must tell apart for the sake of what is written. */
export function mentioned(rewriting: Rewriting): readonly Constraint[] {
  switch (rewriting.kind) {
    case 'bits': return masks(rewriting.field, (rewriting.value & rewriting.mask) >>> 0, rewriting.mask, (rewriting.value & ~rewriting.mask) >>> 0);
    case 'copy': return [...masks(rewriting.from, 0, rewriting.fromMask, 0), ...masks(rewriting.to, 0, rewriting.toMask, 0)];
    case 'within': return isNumeric(rewriting.field) ? rewriting.ranges.map(range => within(rewriting.field, range.low, range.high)) : [];
    case 'network': return [{ kind: 'masked', field: rewriting.field, value: BigInt(rewriting.address) & BigInt(rewriting.mask), mask: rewriting.mask }];
    case 'local': case 'unknown': return [];
  }
}

/** Bits that are set together, and bits that are flipped, want dimensions of their own. */
function masks(field: Field, value: number, mask: number, flipped: number): Constraint[] {
  const out: Constraint[] = [];
  if (mask !== 0) out.push({ kind: 'masked', field, value, mask });
  if (flipped !== 0) out.push({ kind: 'masked', field, value: 0, mask: flipped });
  return out;
}

/** The writes of one rewriting; `exact` is false where a field is only known to be one of several. */
export function writesOf(dimensions: Dimensions, rewriting: Rewriting): readonly Write[] {
  switch (rewriting.kind) {
    case 'bits': return ofField(dimensions, rewriting.field).flatMap(d => bitsWrite(dimensions, d, rewriting));
    case 'copy': return copyWrites(dimensions, rewriting);
    case 'within': return ofField(dimensions, rewriting.field).map(d => rangeWrite(dimensions, d, rewriting.field, rewriting.ranges));
    case 'network': return ofField(dimensions, rewriting.field).map(d => networkWrite(dimensions, d, rewriting));
    case 'local': case 'unknown': return ofField(dimensions, rewriting.field).map(d => free(dimensions, d));
  }
}

function ofField({ fields }: Dimensions, field: Field): readonly number[] {
  return fields.get(field) ?? [];
}

function free({ last }: Dimensions, dimension: number): Write {
  return { kind: 'free', dimension, low: 0, high: last[dimension] ?? 0 };
}

function spread(dimension: number, low: number, high: number): Write {
  return low === high ? { kind: 'class', dimension, value: low } : { kind: 'free', dimension, low, high };
}

function bitsOf(dimension: Dimension | undefined): number {
  return dimension?.kind === 'bits' ? Number(dimension.mask) : 0xffff_ffff;
}

/** The class of a value's bits in a dimension. */
function classOfValue(dimension: Dimension | undefined, value: Scalar, last: number): number {
  if (dimension?.kind === 'range') return classOf(dimension.starts, value);
  return dimension?.kind === 'bits' ? dimension.index.get(BigInt(value) & dimension.mask) ?? last : 0;
}

function bitsWrite(dimensions: Dimensions, d: number, { field, value, mask }: Extract<Rewriting, { kind: 'bits' }>): Write[] {
  const dimension = dimensions.list[d];
  const own = bitsOf(dimension);
  const [set, flipped] = [(own & mask) >>> 0, (own & value & ~mask) >>> 0];
  if (set === 0 && flipped === 0) return [];
  if (set === own >>> 0) return [{ kind: 'class', dimension: d, value: classOfValue(dimension, scalarOf(field, dimensions.family, (value & own) >>> 0), dimensions.last[d] ?? 0) }];
  return [free(dimensions, d)];
}

/** Bit for bit where the masks say so; else the result is not known. */
function copyWrites(dimensions: Dimensions, { from, fromMask, to, toMask }: Extract<Rewriting, { kind: 'copy' }>): Write[] {
  const sources = ofField(dimensions, from);
  return ofField(dimensions, to).flatMap((d, i): Write[] => {
    const own = bitsOf(dimensions.list[d]);
    const [cleared, taken] = [(own & toMask) >>> 0, (own & fromMask) >>> 0];
    const source = sources[i];
    if (cleared === 0 && taken === 0) return [];
    if (cleared === own >>> 0 && taken === own >>> 0 && source !== undefined) return [{ kind: 'copy', dimension: d, from: source }];
    if (cleared === own >>> 0 && taken === 0) return [{ kind: 'class', dimension: d, value: classOfValue(dimensions.list[d], 0, dimensions.last[d] ?? 0) }];
    return [free(dimensions, d)];
  });
}

function rangeWrite(dimensions: Dimensions, d: number, field: Field, ranges: readonly Range[]): Write {
  const [first] = ranges;
  if (first === undefined || ranges.length > 1 || !isNumeric(field)) return free(dimensions, d);
  return scalarRange(dimensions, d, scalarOf(field, dimensions.family, first.low), scalarOf(field, dimensions.family, first.high));
}

function scalarRange(dimensions: Dimensions, d: number, low: Scalar, high: Scalar): Write {
  const dimension = dimensions.list[d];
  if (dimension?.kind === 'range') return spread(d, classOf(dimension.starts, low), classOf(dimension.starts, high));
  if (low === high) return { kind: 'class', dimension: d, value: classOfValue(dimension, low, dimensions.last[d] ?? 0) };
  return free(dimensions, d);
}

function networkWrite(dimensions: Dimensions, d: number, { field, address, mask }: Extract<Rewriting, { kind: 'network' }>): Write {
  const all = dimensions.family === 'ipv4' ? 0xffff_ffffn : (1n << 128n) - 1n;
  const low = BigInt(address) & BigInt(mask);
  return scalarRange(dimensions, d, scalarOf(field, dimensions.family, low), scalarOf(field, dimensions.family, low | (all ^ BigInt(mask))));
}
