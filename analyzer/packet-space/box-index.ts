/**
 * An index over the boxes of one chain: which is the first that holds a point, and which of them meet a region. Boxes
 * that ask for a property (of which there may be thousands, few with any one packet) are kept by property; the others
 * in a tree.
 */
import type { Boxes, Region } from './boxes.js';
import { BoxTree } from './box-tree.js';

/** With fewer properties than this, the tree does as well. */
const propertyLimit = 4;

export class BoxIndex {
  readonly #rest: BoxTree;
  /** By dimension: boxes that ask for class 1 of two. */
  readonly #byProperty: readonly (readonly [number, BoxTree])[];

  /** `members`: the boxes to index, sorted. */
  constructor(boxes: Boxes, members: Int32Array) {
    const property = rarestProperties(boxes, members);
    const groups = new Map<number, number[]>();
    for (const [box, dimension] of property) {
      const group = groups.get(dimension);
      if (group === undefined) groups.set(dimension, [box]);
      else group.push(box);
    }
    this.#rest = new BoxTree(boxes, property.size === 0 ? members : members.filter(box => !property.has(box)));
    this.#byProperty = [...groups].map(([dimension, some]) => [dimension, new BoxTree(boxes, Int32Array.from(some))]);
  }

  /** The first box from `from` on, and before `limit`, that holds the point; `limit` if none does. */
  first(point: Int32Array, from: number, limit: number): number {
    let best = this.#rest.first(point, from, limit);
    for (const [dimension, tree] of this.#byProperty) if (point[dimension] === 1) best = tree.first(point, from, best);
    return best;
  }

  /** The boxes in `from` … `to - 1` with one of the bits that meet the region; unsorted. */
  meeting(region: Region, bits: number, from: number, to: number): number[] {
    const out: number[] = [];
    this.#rest.meeting(region, bits, from, to, out);
    for (const [dimension, tree] of this.#byProperty) if (region.hi[dimension] === 1) tree.meeting(region, bits, from, to, out);
    return out;
  }
}

/** Of each box that asks for properties, the one that the fewest others ask for. */
function rarestProperties({ at, dim, lo, last }: Boxes, members: Int32Array): ReadonlyMap<number, number> {
  const uses = new Map<number, number>();
  const asks = (i: number): boolean => lo[i] === 1 && last[dim[i] ?? 0] === 1;
  for (const box of members) {
    for (let i = at[box] ?? 0; i < (at[box + 1] ?? 0); i++) if (asks(i)) uses.set(dim[i] ?? 0, (uses.get(dim[i] ?? 0) ?? 0) + 1);
  }
  const found = new Map<number, number>();
  if (uses.size < propertyLimit) return found;
  for (const box of members) {
    let best = Infinity;
    for (let i = at[box] ?? 0; i < (at[box + 1] ?? 0); i++) {
      const count = asks(i) ? uses.get(dim[i] ?? 0) ?? Infinity : Infinity;
      if (count >= best) continue;
      best = count;
      found.set(box, dim[i] ?? 0);
    }
  }
  return found;
}

