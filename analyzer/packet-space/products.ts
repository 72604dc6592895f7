/** From constraints to unions of products: for each dimension a set of classes. */
import type { Constraint, Range } from '../packet/constraint.js';
import { maskAtom, type Dimensions } from './dimensions.js';
import { classOf, blockOf, complement, isNumeric, largestOf, maskedRanges, normalRanges, type NumericField } from './fields.js';
import { intersect, merge, unite, type Intervals } from './intervals.js';

export interface Product {
  /** A dimension that is absent is free. */
  readonly sets: ReadonlyMap<number, Intervals>;
  /** It hangs on something unknown: such packets may match, and may not. */
  readonly soft: boolean;
}

const everything: Product = { sets: new Map(), soft: false };
const anything: Product = { sets: new Map(), soft: true };

/** More products than this, and all that is said is: it may match, it may not. */
const productLimit = 2048;

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

function one(dimension: number, set: Intervals): readonly Product[] {
  return set.length === 0 ? [] : [{ sets: new Map([[dimension, set]]), soft: false }];
}

function atomProducts(space: Dimensions, name: string, positive: boolean): readonly Product[] {
  const dimension = space.atoms.get(name);
  const value = positive ? 1 : 0;
  return dimension === undefined ? [everything] : one(dimension, [value, value]);
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
  return one(dimension, positive ? [index, index] : outside([index, index], last));
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
  const normal = normalRanges(field, space.family, ranges);
  const wanted = positive ? normal : complement(field, space.family, normal);
  if (wanted.length === 0) return [];
  const [index] = dimensions ?? [];
  if (dimensions === undefined || index === undefined) return [everything];
  const dimension = space.list[index];
  if (dimension?.kind === 'range') return one(index, merge(wanted.map(({ low, high }) => [classOf(dimension.starts, low), classOf(dimension.starts, high)])));
  const max = BigInt(largestOf(field, space.family));
  const blocks = normal.map(range => blockOf(range, max));
  if (!blocks.every(block => block !== undefined)) return [everything];
  const parts = blocks.map(block => bitProducts(space, dimensions, block.value, block.mask, positive));
  return positive ? limited(parts.flat()) : parts.reduce(meet, [everything]);
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
    if ((dimension.mask & ~mask) === 0n) parts.push(...one(index, positive ? [at, at] : outside([at, at], last)));
  }
  return positive ? parts.reduce<readonly Product[]>((all, part) => meet(all, [part]), [everything]) : limited(parts);
}

function meetAll(space: Dimensions, of: readonly Constraint[], positive: boolean): readonly Product[] {
  let all: readonly Product[] = [everything];
  for (const part of of) all = meet(all, productsOf(space, part, positive));
  return all;
}

function joinAll(space: Dimensions, of: readonly Constraint[], positive: boolean): readonly Product[] {
  return limited(of.flatMap(part => productsOf(space, part, positive)));
}

/** Joins what can be joined in place: sets along one and the same dimension. */
function limited(list: readonly Product[]): readonly Product[] {
  if (list.length < 2) return list;
  const single = new Map<number, Intervals>();
  const out: Product[] = [];
  for (const product of list) {
    const [entry] = product.sets;
    if (product.soft || entry === undefined || product.sets.size > 1) out.push(product);
    else single.set(entry[0], unite(single.get(entry[0]) ?? [], entry[1]));
  }
  for (const [dimension, set] of single) out.push(...one(dimension, set));
  return out.length > productLimit ? [anything] : out;
}

function meet(a: readonly Product[], b: readonly Product[]): readonly Product[] {
  if (a.length === 1 && a[0] === everything) return b;
  if (b.length === 1 && b[0] === everything) return a;
  if (a.length * b.length > productLimit) return [anything];
  const out: Product[] = [];
  for (const left of a) for (const right of b) {
    const both = meetTwo(left, right);
    if (both !== undefined) out.push(both);
  }
  return out;
}

function meetTwo(left: Product, right: Product): Product | undefined {
  const sets = new Map(left.sets);
  for (const [dimension, set] of right.sets) {
    const before = sets.get(dimension);
    const now = before === undefined ? set : intersect(before, set);
    if (now.length === 0) return undefined;
    sets.set(dimension, now);
  }
  return { sets, soft: left.soft || right.soft };
}

/** A product's cells: one interval in each dimension. */
export interface Cell {
  readonly sides: readonly { readonly dimension: number; readonly low: number; readonly high: number }[];
  readonly soft: boolean;
}

function isBox(sets: Product['sets']): boolean {
  for (const set of sets.values()) if (set.length !== 2) return false;
  return true;
}

/** Writes products out as cells, the certain ones first. */
export function cellsOf(products: readonly Product[], limit: number): readonly Cell[] {
  const cells: Cell[] = [];
  for (const { sets, soft } of products) {
    // Mostly one interval is asked of each.
    if (isBox(sets)) {
      cells.push({ sides: Array.from(sets, ([dimension, set]) => ({ dimension, low: set[0] ?? 0, high: set[1] ?? 0 })), soft });
      continue;
    }
    let some: Cell[] = [{ sides: [], soft }];
    for (const [dimension, set] of sets) {
      const sides = Array.from({ length: set.length / 2 }, (_, i) => ({ dimension, low: set[2 * i] ?? 0, high: set[2 * i + 1] ?? 0 }));
      some = some.length * sides.length > limit
        // Too many: their hull, which may match and may not.
        ? some.map(cell => ({ sides: [...cell.sides, { dimension, low: sides[0]?.low ?? 0, high: sides.at(-1)?.high ?? 0 }], soft: true }))
        : some.flatMap(cell => sides.map(side => ({ sides: [...cell.sides, side], soft: cell.soft })));
    }
    cells.push(...some);
  }
  if (cells.length > limit) return [{ sides: [], soft: true }];
  return [...cells.filter(cell => !cell.soft), ...cells.filter(cell => cell.soft)];
}

