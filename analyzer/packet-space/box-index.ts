/**
 * An index over the boxes of one chain: which is the first that holds a point, and which of them meet a region. Boxes
 * that ask for a property (of which there may be thousands, few with any one packet) are kept by property; the others
 * in a tree.
 */
import { holds, meets, type Boxes, type Region } from './boxes.js';
import { BoxTree } from './box-tree.js';

/** With fewer properties than this, the tree does as well. */
const propertyLimit = 4;
/** Up to here, looking at one after the other is faster. */
const linearLimit = 24;

/** Few boxes: looked at one after the other. */
class BoxList {
  readonly #boxes: Boxes;
  /** Sorted; of them those at `start` … `end - 1`, so that chains of a few rules each can share one list. */
  readonly #members: Int32Array;
  readonly #start: number;
  readonly #end: number;

  constructor(boxes: Boxes, members: Int32Array, start: number, end: number) {
    this.#boxes = boxes;
    this.#members = members;
    this.#start = start;
    this.#end = end;
  }

  first(point: Int32Array, from: number, limit: number): number {
    for (let i = this.#start; i < this.#end; i++) {
      const box = this.#members[i] ?? limit;
      if (box >= limit) break;
      if (box >= from && holds(this.#boxes, box, point)) return box;
    }
    return limit;
  }

  any(region: Region, bits: number, from: number, to: number): boolean {
    for (let i = this.#start; i < this.#end; i++) {
      const box = this.#members[i] ?? to;
      if (box >= to) break;
      if (box >= from && this.#meets(box, region, bits)) return true;
    }
    return false;
  }

  meeting(region: Region, bits: number, from: number, to: number, out: number[], limit: number): void {
    for (let i = this.#start; i < this.#end && out.length < limit; i++) {
      const box = this.#members[i] ?? to;
      if (box >= to) break;
      if (box >= from && this.#meets(box, region, bits)) out.push(box);
    }
  }

  #meets(box: number, region: Region, bits: number): boolean {
    return ((this.#boxes.bits[box] ?? 0) & bits) !== 0 && meets(this.#boxes, box, region);
  }
}

type Part = BoxList | BoxTree;

function partOf(boxes: Boxes, members: Int32Array): Part {
  return members.length > linearLimit ? new BoxTree(boxes, members) : new BoxList(boxes, members, 0, members.length);
}

const noProperties: readonly (readonly [number, Part])[] = [];

export class BoxIndex {
  readonly #boxes: Boxes;
  /** Its boxes, where they follow each other without a gap; none else. */
  readonly #lowest: number;
  readonly #highest: number;
  readonly #rest: Part;
  /** By dimension: boxes that ask for class 1 of two. */
  readonly #byProperty: readonly (readonly [number, Part])[];

  /** The boxes to index: `members[start]` … `members[end - 1]`, sorted. */
  constructor(boxes: Boxes, members: Int32Array, start = 0, end = members.length) {
    this.#boxes = boxes;
    const [lowest, highest] = [members[start] ?? 0, members[end - 1] ?? 0];
    [this.#lowest, this.#highest] = highest - lowest === end - start - 1 ? [lowest, highest] : [0, -1];
    const isFew = end - start <= linearLimit;
    const own = isFew || (start === 0 && end === members.length) ? members : members.subarray(start, end);
    const property = isFew ? undefined : rarestProperties(boxes, own);
    const groups = new Map<number, number[]>();
    for (const [box, dimension] of property ?? []) {
      const group = groups.get(dimension);
      if (group === undefined) groups.set(dimension, [box]);
      else group.push(box);
    }
    if (isFew) this.#rest = new BoxList(boxes, own, start, end);
    else this.#rest = partOf(boxes, property === undefined ? own : own.filter(box => !property.has(box)));
    this.#byProperty = property === undefined ? noProperties : [...groups].map(([dimension, some]) => [dimension, partOf(boxes, Int32Array.from(some))]);
  }

  /** The first box from `from` on, and before `limit`, that holds the point; `limit` if none does. */
  first(point: Int32Array, from: number, limit: number): number {
    // Where rules follow each other that may all match, each is the next.
    if (from >= this.#lowest && from <= this.#highest && from < limit && holds(this.#boxes, from, point)) return from;
    let best = this.#rest.first(point, from, limit);
    for (const [dimension, part] of this.#byProperty) if (point[dimension] === 1) best = part.first(point, from, best);
    return best;
  }

  /** Whether some box in `from` … `to - 1` with one of the bits meets the region. */
  any(region: Region, bits: number, from: number, to: number): boolean {
    return this.#rest.any(region, bits, from, to) || this.#byProperty.some(([dimension, part]) => region.hi[dimension] === 1 && part.any(region, bits, from, to));
  }

  /** The boxes in `from` … `to - 1` with one of the bits that meet the region, added to `out`; unsorted, and no more than `limit`. */
  meeting(region: Region, bits: number, from: number, to: number, out: number[] = [], limit = Infinity): number[] {
    this.#rest.meeting(region, bits, from, to, out, limit);
    for (const [dimension, part] of this.#byProperty) if (region.hi[dimension] === 1) part.meeting(region, bits, from, to, out, limit);
    return out;
  }
}

/** Of each box that asks for properties, the one that the fewest others ask for; undefined where few are asked for at all. */
function rarestProperties({ at, dim, lo, last }: Boxes, members: Int32Array): ReadonlyMap<number, number> | undefined {
  const uses = new Int32Array(last.length);
  let different = 0;
  const asks = (i: number): boolean => lo[i] === 1 && last[dim[i] ?? 0] === 1;
  for (const box of members) {
    for (let i = at[box] ?? 0, end = at[box + 1] ?? 0; i < end; i++) {
      const d = dim[i] ?? 0;
      if (!asks(i)) continue;
      if (uses[d] === 0) different++;
      uses[d] = (uses[d] ?? 0) + 1;
    }
  }
  if (different < propertyLimit) return undefined;
  const found = new Map<number, number>();
  for (const box of members) {
    let best = Infinity;
    for (let i = at[box] ?? 0, end = at[box + 1] ?? 0; i < end; i++) {
      const count = asks(i) ? uses[dim[i] ?? 0] ?? Infinity : Infinity;
      if (count >= best) continue;
      best = count;
      found.set(box, dim[i] ?? 0);
    }
  }
  return found;
}
