/** Boxes around boxes: around the rules of a chain, around the packets that can enter it. */
import type { Boxes, Region } from './boxes.js';
import type { BoxWriter } from './box-writer.js';

/** Dimension, low, high, and so on; what is absent is free. Undefined holds nothing at all. */
export type Hull = readonly number[] | undefined;

/** Around two. */
export function joined(a: Hull, b: Hull): Hull {
  if (a === undefined || b === undefined) return a ?? b;
  const wider: number[] = [];
  for (let i = 0; i < a.length; i += 3) {
    for (let j = 0; j < b.length; j += 3) {
      if (a[i] === b[j]) wider.push(a[i] ?? 0, Math.min(a[i + 1] ?? 0, b[j + 1] ?? 0), Math.max(a[i + 2] ?? 0, b[j + 2] ?? 0));
    }
  }
  return wider;
}

/** What of a box lies in a hull. */
export function boxWithin(boxes: Boxes, box: number, hull: Hull): Hull {
  if (hull === undefined) return undefined;
  const sides = sidesOf(boxes, box);
  for (let k = 0; k < hull.length; k += 3) {
    let i = 0;
    while (i < sides.length && sides[i] !== hull[k]) i += 3;
    sides[i] = hull[k] ?? 0;
    sides[i + 1] = Math.max(sides[i + 1] ?? 0, hull[k + 1] ?? 0);
    sides[i + 2] = Math.min(sides[i + 2] ?? Infinity, hull[k + 2] ?? 0);
    if ((sides[i + 1] ?? 0) > (sides[i + 2] ?? 0)) return undefined;
  }
  return sides;
}

/** The hull of the boxes `from` … `to - 1`. */
export function hullOf(boxes: Boxes, from: number, to: number): Hull {
  if (from >= to) return undefined;
  const hull = sidesOf(boxes, from);
  for (let box = from + 1; box < to && hull.length > 0; box++) widen(hull, boxes, box);
  return hull;
}

function sidesOf({ at, dim, lo, hi }: Boxes, box: number): number[] {
  const sides: number[] = [];
  for (let i = at[box] ?? 0, end = at[box + 1] ?? 0; i < end; i++) sides.push(dim[i] ?? 0, lo[i] ?? 0, hi[i] ?? 0);
  return sides;
}

/** Widens a hull so that it holds a box, in place. */
function widen(hull: number[], { at, dim, lo, hi }: Boxes, box: number): void {
  let kept = 0;
  for (let k = 0; k < hull.length; k += 3) {
    let i = at[box] ?? 0;
    const end = at[box + 1] ?? 0;
    while (i < end && dim[i] !== hull[k]) i++;
    if (i === end) continue;
    const [low, high] = [Math.min(hull[k + 1] ?? 0, lo[i] ?? 0), Math.max(hull[k + 2] ?? 0, hi[i] ?? 0)];
    hull[kept++] = dim[i] ?? 0;
    hull[kept++] = low;
    hull[kept++] = high;
  }
  if (kept < hull.length) hull.length = kept;
}

/** Writes the part of a jump's box from which its callee is not left untouched. */
export function writeCut(writer: BoxWriter, boxes: Boxes, box: number, hull: Hull): void {
  const sides = boxWithin(boxes, box, hull);
  // No class lies in it.
  if (sides === undefined) writer.side(0, 0x7fff_ffff, -1);
  else for (let k = 0; k < sides.length; k += 3) writer.side(sides[k] ?? 0, sides[k + 1] ?? 0, sides[k + 2] ?? 0);
  writer.close();
}

/** Cuts a region down to its part in a hull, in place; false where there is none. */
export function cutDown({ lo, hi }: Region, hull: Hull): boolean {
  if (hull === undefined) return false;
  let isLeft = true;
  for (let k = 0; k < hull.length; k += 3) {
    const d = hull[k] ?? 0;
    lo[d] = Math.max(lo[d] ?? 0, hull[k + 1] ?? 0);
    hi[d] = Math.min(hi[d] ?? 0, hull[k + 2] ?? 0);
    isLeft &&= (lo[d] ?? 0) <= (hi[d] ?? 0);
  }
  return isLeft;
}
