/** One box around others, and what of a jump's cell lies in that around its callee's rules. */
import type { Cell } from './products.js';

/** A dimension that is absent is free; undefined holds nothing at all. */
export type Hull = ReadonlyMap<number, readonly [number, number]> | undefined;

/** No class lies in it. */
const nothing = { low: 0x7fff_ffff, high: -1 } as const;

export function hullOf(cells: readonly Cell[]): Hull {
  let hull: Map<number, readonly [number, number]> | undefined;
  for (const cell of cells) {
    if (hull === undefined) hull = new Map(cell.sides.map(({ dimension, low, high }) => [dimension, [low, high]]));
    else {
      const sides = new Map(cell.sides.map(side => [side.dimension, side]));
      for (const [dimension, [low, high]] of hull) {
        const side = sides.get(dimension);
        if (side === undefined) hull.delete(dimension);
        else hull.set(dimension, [Math.min(low, side.low), Math.max(high, side.high)]);
      }
    }
    if (hull.size === 0) break;
  }
  return hull;
}

/** The part of a jump's cell from which its callee is not left untouched. */
export function cutTo(cell: Cell, hull: Hull): Cell {
  const sides = new Map(cell.sides.map(side => [side.dimension, side]));
  if (hull === undefined) return { soft: cell.soft, sides: [{ dimension: 0, ...nothing }] };
  for (const [dimension, [low, high]] of hull) {
    const before = sides.get(dimension);
    const side = { dimension, low: Math.max(low, before?.low ?? low), high: Math.min(high, before?.high ?? high) };
    if (side.low > side.high) return { soft: cell.soft, sides: [{ dimension: 0, ...nothing }] };
    sides.set(dimension, side);
  }
  return { soft: cell.soft, sides: [...sides.values()] };
}
