/** Products: for each of some dimensions a set of classes; and unions of them, met, joined, and written out as boxes. */
import { intersect, merge, type Intervals } from './intervals.js';

/** What is asked of one dimension: the classes low … high or, where `set` says so, only some of these. */
export interface Side {
  readonly dimension: number;
  readonly low: number;
  readonly high: number;
  /** Where it is not one interval. */
  readonly set: Intervals | undefined;
}

export interface Product {
  /** One at most of each dimension. A dimension that is absent is free. */
  readonly sides: readonly Side[];
  /** It hangs on something unknown: such packets may match, and may not. */
  readonly soft: boolean;
}

export const everything: Product = { sides: [], soft: false };
export const anything: Product = { sides: [], soft: true };

/** More products than this, and all that is said is: it may match, it may not. */
const productLimit = 2048;

function sideOf(dimension: number, set: Intervals): Side {
  return { dimension, low: set[0] ?? 0, high: set.at(-1) ?? 0, set: set.length > 2 ? set : undefined };
}

/** Of one dimension the classes low … high. */
export function interval(dimension: number, low: number, high: number): readonly Product[] {
  return [{ sides: [{ dimension, low, high, set: undefined }], soft: false }];
}

/** Of one dimension some classes; none at all where there are none. */
export function one(dimension: number, set: Intervals): readonly Product[] {
  return set.length === 0 ? [] : [{ sides: [sideOf(dimension, set)], soft: false }];
}

function intervalsOf({ low, high, set }: Side): Intervals {
  return set ?? [low, high];
}

/** What lies in one product at least. Joins what can be joined in place: sets along one and the same dimension. */
export function joined(list: readonly Product[]): readonly Product[] {
  if (list.length < 2) return list;
  const single = new Map<number, (readonly [number, number])[]>();
  const out: Product[] = [];
  for (const product of list) {
    const [side] = product.sides;
    if (product.soft || side === undefined || product.sides.length > 1) {
      out.push(product);
      continue;
    }
    const pairs = single.get(side.dimension) ?? [];
    single.set(side.dimension, pairs);
    const set = intervalsOf(side);
    for (let i = 0; i < set.length; i += 2) pairs.push([set[i] ?? 0, set[i + 1] ?? 0]);
  }
  for (const [dimension, pairs] of single) out.push({ sides: [sideOf(dimension, merge(pairs))], soft: false });
  return out.length > productLimit ? [anything] : out;
}

/** What lies in a product of each list. */
export function meet(a: readonly Product[], b: readonly Product[]): readonly Product[] {
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
  const soft = left.soft || right.soft;
  // Mostly they speak of different dimensions.
  if (!right.sides.some(side => placeOf(left.sides, side.dimension) >= 0)) return { sides: left.sides.concat(right.sides), soft };
  const sides = [...left.sides];
  for (const side of right.sides) {
    const at = placeOf(left.sides, side.dimension);
    const before = left.sides[at];
    const now = before === undefined ? side : meetSides(before, side);
    if (now === undefined) return undefined;
    sides[before === undefined ? sides.length : at] = now;
  }
  return { sides, soft };
}

function placeOf(sides: readonly Side[], dimension: number): number {
  for (let i = 0; i < sides.length; i++) if (sides[i]?.dimension === dimension) return i;
  return -1;
}

function meetSides(a: Side, b: Side): Side | undefined {
  const { dimension } = a;
  if (a.set !== undefined || b.set !== undefined) {
    const set = intersect(intervalsOf(a), intervalsOf(b));
    return set.length === 0 ? undefined : sideOf(dimension, set);
  }
  const [low, high] = [Math.max(a.low, b.low), Math.min(a.high, b.high)];
  return low > high ? undefined : { dimension, low, high, set: undefined };
}

/** A product's cells: one interval in each dimension. */
export interface Cell {
  readonly sides: readonly Pick<Side, 'dimension' | 'low' | 'high'>[];
  readonly soft: boolean;
}

/** Writes products out as cells, the certain ones first. */
export function cellsOf(products: readonly Product[], limit: number): readonly Cell[] {
  // Mostly one interval is asked of each dimension, and a product is a cell.
  const cells = products.every(isCell) ? products : products.flatMap(product => isCell(product) ? product : divided(product, limit));
  if (cells.length > limit) return [{ sides: [], soft: true }];
  return cells.length < 2 ? cells : [...cells.filter(cell => !cell.soft), ...cells.filter(cell => cell.soft)];
}

function isCell({ sides }: Product): boolean {
  for (const { set } of sides) if (set !== undefined) return false;
  return true;
}

/** The cells of a product. The last dimension goes round fastest. */
function divided(product: Product, limit: number): readonly Cell[] {
  let count = 1;
  let { soft } = product;
  const sides = product.sides.map((side): Side => {
    const parts = intervalsOf(side).length / 2;
    if (count * parts > limit) {
      // Too many: their hull, which may match and may not.
      soft = true;
      return { ...side, set: undefined };
    }
    count *= parts;
    return side;
  });
  const cells: Cell[] = [];
  for (let cell = 0; cell < count; cell++) {
    const own: Cell['sides'][number][] = [];
    let below = count;
    for (const side of sides) {
      const { dimension, set } = side;
      if (set !== undefined) below /= set.length / 2;
      const at = set === undefined ? 0 : 2 * (Math.floor(cell / below) % (set.length / 2));
      own.push(set === undefined ? side : { dimension, low: set[at] ?? 0, high: set[at + 1] ?? 0 });
    }
    cells.push({ soft, sides: own });
  }
  return cells;
}
