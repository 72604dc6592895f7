/** From constraints to unions of products. */
import type { Constraint, Range } from '../packet/constraint.js';
import { maskAtom, type Dimensions } from './dimensions.js';
import { classOf, blockOf, complement, isNumeric, largestOf, maskedRanges, normalRanges, scalarOf, type NumericField, type Scalar } from './fields.js';
import type { Intervals } from './intervals.js';
import { anything, everything, interval, joined, meet, one, type Product } from './product.js';

/**
 * The products of a constraint, or with `positive` false of its opposite. Exact for every constraint that the
 * dimensions were built from. For others (those of a question) it holds all that match, and maybe more.
 */
export function productsOf(space: Dimensions, constraint: Constraint, positive = true): readonly Product[] {
  switch (constraint.kind) {
    case 'always': return positive ? [everything] : [];
    case 'never': return positive ? [] : [everything];
    case 'unknown': return [anything];
    case 'not': return productsOf(space, constraint.of, !positive);
    case 'all': return positive ? meetAll(space, constraint.of, true) : joinAll(space, constraint.of, false);
    case 'any': return positive ? joinAll(space, constraint.of, true) : meetAll(space, constraint.of, false);
    case 'atom': return atomProducts(space, constraint.name, positive);
    case 'interface': return nameProducts(space, constraint, positive);
    case 'within': return isNumeric(constraint.field) ? rangeProducts(space, constraint.field, constraint.ranges, positive) : [anything];
    case 'masked': return isNumeric(constraint.field) ? maskProducts(space, constraint.field, constraint.value, constraint.mask, positive) : [anything];
  }
}

function atomProducts(space: Dimensions, name: string, positive: boolean): readonly Product[] {
  const dimension = space.atoms.get(name);
  const value = positive ? 1 : 0;
  return dimension === undefined ? [everything] : interval(dimension, value, value);
}

function nameProducts(space: Dimensions, { field, name, prefix }: { readonly field: 'in' | 'out'; readonly name: string; readonly prefix: boolean }, positive: boolean): readonly Product[] {
  const dimension = space.fields.get(field)?.[0] ?? -1;
  const known = space.list[dimension];
  if (known?.kind !== 'name') return [everything];
  const last = space.last[dimension] ?? 0;
  if (prefix) {
    const set = known.names.withPrefix(name, positive);
    return one(dimension, positive ? set : outside(set, last));
  }
  const index = known.names.classOf(name);
  // A name that no rule mentions shares its class with others: without it, the class is still there.
  if (!positive && known.names.classes[index]?.other === true) return [everything];
  return positive ? interval(dimension, index, index) : one(dimension, outside([index, index], last));
}

function outside(set: Intervals, last: number): number[] {
  const out: number[] = [];
  let from = 0;
  for (let i = 0; i < set.length; i += 2) {
    if ((set[i] ?? 0) > from) out.push(from, (set[i] ?? 0) - 1);
    from = (set[i + 1] ?? 0) + 1;
  }
  if (from <= last) out.push(from, last);
  return out;
}

function rangeProducts(space: Dimensions, field: NumericField, ranges: readonly Range[], positive: boolean): readonly Product[] {
  const dimensions = space.fields.get(field);
  const index = dimensions?.[0] ?? -1;
  const dimension = space.list[index];
  const [range, second] = ranges;
  if (positive && dimension?.kind === 'range' && range !== undefined && second === undefined) {
    const [low, high] = [scalarOf(field, space.family, range.low), scalarOf(field, space.family, range.high)];
    return low > high || low > dimension.max ? [] : interval(index, classOf(dimension.starts, low), classOf(dimension.starts, high));
  }
  const normal = normalRanges(field, space.family, ranges);
  const wanted = positive ? normal : complement(field, space.family, normal);
  if (wanted.length === 0) return [];
  if (dimensions === undefined || dimension === undefined) return [everything];
  if (dimension.kind === 'range') return one(index, classesOf(dimension.starts, wanted));
  const max = BigInt(largestOf(field, space.family));
  const blocks = normal.map(range => blockOf(range, max));
  if (!blocks.every(block => block !== undefined)) return [everything];
  const parts = blocks.map(block => bitProducts(space, dimensions, block.value, block.mask, positive));
  return positive ? joined(parts.flat()) : parts.reduce(meet, [everything]);
}

/** The classes of ranges that are in order. */
function classesOf(starts: readonly Scalar[], ranges: readonly Range[]): number[] {
  const classes: number[] = [];
  for (const { low, high } of ranges) {
    const [from, to] = [classOf(starts, low), classOf(starts, high)];
    if (from <= (classes.at(-1) ?? -2) + 1) classes[classes.length - 1] = to;
    else classes.push(from, to);
  }
  return classes;
}

function maskProducts(space: Dimensions, field: NumericField, value: number | bigint, mask: number | bigint, positive: boolean): readonly Product[] {
  const ranges = maskedRanges(field, space.family, value, mask);
  if (ranges !== undefined) return rangeProducts(space, field, ranges, positive);
  const dimensions = space.fields.get(field);
  if (dimensions !== undefined && space.list[dimensions[0] ?? -1]?.kind === 'bits') return bitProducts(space, dimensions, BigInt(value), BigInt(mask), positive);
  return atomProducts(space, maskAtom(field, value, mask), positive);
}

function bitProducts(space: Dimensions, dimensions: readonly number[], value: bigint, mask: bigint, positive: boolean): readonly Product[] {
  const parts: Product[] = [];
  for (const index of dimensions) {
    const dimension = space.list[index];
    if (dimension?.kind !== 'bits' || (dimension.mask & mask) === 0n) continue;
    const last = space.last[index] ?? 0;
    // Of a question: a mask that cuts through the group says nothing here, and an unmentioned value is one of the others.
    const found = (dimension.mask & ~mask) === 0n ? dimension.index.get(value & dimension.mask) : undefined;
    if (found === undefined && !positive) return [everything];
    const at = found ?? last;
    if ((dimension.mask & ~mask) === 0n) parts.push(...positive ? interval(index, at, at) : one(index, outside([at, at], last)));
  }
  return positive ? parts.reduce<readonly Product[]>((all, part) => meet(all, [part]), [everything]) : joined(parts);
}

function meetAll(space: Dimensions, of: readonly Constraint[], positive: boolean): readonly Product[] {
  let all: readonly Product[] = [everything];
  for (const part of of) all = meet(all, productsOf(space, part, positive));
  return all;
}

function joinAll(space: Dimensions, of: readonly Constraint[], positive: boolean): readonly Product[] {
  return joined(of.flatMap(part => productsOf(space, part, positive)));
}
