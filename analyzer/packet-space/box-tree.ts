/** A three-way interval tree: below a node lie the boxes on this side of a cut, on that side, and across it. */
import { holds, meets, type Boxes, type Region } from './boxes.js';

const leafSize = 8;
/** Up to here, looking at one after the other is faster. */
const linearLimit = 24;
const samples = 33;
/** Cuts are made in the dimensions that most boxes say something of. */
const dimensionLimit = 24;

interface Node {
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  readonly first: number;
  readonly last: number;
  readonly bits: number;
  /** Of a leaf: sorted. */
  readonly members: Int32Array | undefined;
  readonly children: readonly Node[];
}

export class BoxTree {
  readonly #boxes: Boxes;
  /** Sorted. */
  readonly #members: Int32Array;
  readonly #dims: Int32Array;
  readonly #root: Node | undefined;

  constructor(boxes: Boxes, members: Int32Array) {
    this.#boxes = boxes;
    this.#members = members;
    const isLong = members.length > linearLimit;
    this.#dims = isLong ? commonDims(boxes, members) : new Int32Array(0);
    this.#root = isLong ? new TreeBuilder(boxes, members, this.#dims).build(Int32Array.from(members.keys())) : undefined;
  }

  first(point: Int32Array, from: number, limit: number): number {
    return this.#root === undefined ? this.#firstOf(this.#members, point, from, limit) : this.#firstBelow(this.#root, point, from, limit);
  }

  #firstBelow(root: Node, point: Int32Array, from: number, limit: number): number {
    let best = limit;
    const open = [root];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.first >= best || node.last < from || !this.#mayHold(node, point)) continue;
      if (node.members === undefined) open.push(...node.children);
      else best = this.#firstOf(node.members, point, from, best);
    }
    return best;
  }

  #firstOf(members: Int32Array, point: Int32Array, from: number, limit: number): number {
    for (let i = placeOf(members, from); i < members.length; i++) {
      const box = members[i] ?? limit;
      if (box >= limit) break;
      if (holds(this.#boxes, box, point)) return box;
    }
    return limit;
  }

  meeting(region: Region, bits: number, from: number, to: number, out: number[]): void {
    const take = (members: Int32Array): void => {
      for (let i = placeOf(members, from); i < members.length; i++) {
        const box = members[i] ?? to;
        if (box >= to) break;
        if (((this.#boxes.bits[box] ?? 0) & bits) !== 0 && meets(this.#boxes, box, region)) out.push(box);
      }
    };
    if (this.#root === undefined) take(this.#members);
    const open = this.#root === undefined ? [] : [this.#root];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.first >= to || node.last < from || (node.bits & bits) === 0 || !this.#mayMeet(node, region)) continue;
      if (node.members === undefined) open.push(...node.children);
      else take(node.members);
    }
  }

  #mayHold({ lo, hi }: Node, point: Int32Array): boolean {
    for (let k = 0; k < this.#dims.length; k++) {
      const value = point[this.#dims[k] ?? 0] ?? 0;
      if ((lo[k] ?? 0) > value || (hi[k] ?? 0) < value) return false;
    }
    return true;
  }

  #mayMeet({ lo, hi }: Node, region: Region): boolean {
    for (let k = 0; k < this.#dims.length; k++) {
      const d = this.#dims[k] ?? 0;
      if ((lo[k] ?? 0) > (region.hi[d] ?? 0) || (hi[k] ?? 0) < (region.lo[d] ?? 0)) return false;
    }
    return true;
  }
}

/** Where in a sorted list the first that is not smaller stands. */
function placeOf(sorted: Int32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function commonDims({ at, dim }: Boxes, members: Int32Array): Int32Array {
  const uses = new Map<number, number>();
  for (const box of members) for (let i = at[box] ?? 0; i < (at[box + 1] ?? 0); i++) uses.set(dim[i] ?? 0, (uses.get(dim[i] ?? 0) ?? 0) + 1);
  return Int32Array.from([...uses].sort((a, b) => b[1] - a[1]).slice(0, dimensionLimit).map(([d]) => d));
}

/** Works on a dense copy: member m spans lo[m·width + k] … hi[m·width + k] in dimension dims[k]. */
class TreeBuilder {
  readonly #boxes: Boxes;
  readonly #members: Int32Array;
  readonly #width: number;
  readonly #lo: Int32Array;
  readonly #hi: Int32Array;

  constructor(boxes: Boxes, members: Int32Array, dims: Int32Array) {
    this.#boxes = boxes;
    this.#members = members;
    this.#width = dims.length;
    this.#lo = new Int32Array(members.length * dims.length);
    this.#hi = new Int32Array(members.length * dims.length);
    const place = new Map([...dims].map((d, k) => [d, k]));
    const { at, dim, lo, hi, last } = boxes;
    members.forEach((box, m) => {
      const start = m * dims.length;
      for (let k = 0; k < dims.length; k++) this.#hi[start + k] = last[dims[k] ?? 0] ?? 0;
      for (let i = at[box] ?? 0; i < (at[box + 1] ?? 0); i++) {
        const k = place.get(dim[i] ?? 0);
        if (k === undefined) continue;
        this.#lo[start + k] = lo[i] ?? 0;
        this.#hi[start + k] = hi[i] ?? 0;
      }
    });
  }

  build(some: Int32Array): Node {
    const width = this.#width;
    const lo = new Int32Array(width).fill(0x7fff_ffff);
    const hi = new Int32Array(width).fill(-1);
    let bits = 0;
    for (const m of some) {
      bits |= this.#boxes.bits[this.#members[m] ?? 0] ?? 0;
      for (let k = 0; k < width; k++) {
        lo[k] = Math.min(lo[k] ?? 0, this.#lo[m * width + k] ?? 0);
        hi[k] = Math.max(hi[k] ?? 0, this.#hi[m * width + k] ?? 0);
      }
    }
    // Members are sorted, and parts of them stay so.
    const node = { lo, hi, bits, first: this.#members[some[0] ?? 0] ?? 0, last: this.#members[some.at(-1) ?? 0] ?? 0 };
    const leaf = (): Node => ({ ...node, members: some.map(m => this.#members[m] ?? 0), children: [] });
    const cut = some.length > leafSize ? this.#bestCut(some, lo, hi) : undefined;
    if (cut === undefined) return leaf();
    const side = (m: number): number => (this.#hi[m * width + cut.k] ?? 0) < cut.at ? 0 : (this.#lo[m * width + cut.k] ?? 0) >= cut.at ? 1 : 2;
    const parts = [0, 1, 2].map(one => some.filter(m => side(m) === one)).filter(part => part.length > 0);
    return parts.length === 1 ? leaf() : { ...node, members: undefined, children: parts.map(part => this.build(part)) };
  }

  /** The cut that leaves the fewest boxes to look at, judged by a sample; undefined where none is worth it. */
  #bestCut(some: Int32Array, low: Int32Array, high: Int32Array): { readonly k: number; readonly at: number } | undefined {
    const width = this.#width;
    const step = Math.max(1, Math.floor(some.length / samples));
    const sample = some.filter((_, i) => i % step === 0);
    let best: { k: number; at: number } | undefined;
    let bestScore = 0.95;
    for (let k = 0; k < width; k++) {
      const edges: number[] = [];
      for (const m of sample) {
        const [lo, hi] = [this.#lo[m * width + k] ?? 0, this.#hi[m * width + k] ?? 0];
        if (lo > (low[k] ?? 0)) edges.push(lo);
        else if (hi < (high[k] ?? 0)) edges.push(hi + 1);
      }
      if (edges.length === 0) continue;
      const at = edges.sort((a, b) => a - b)[edges.length >> 1] ?? 0;
      const left = sample.filter(m => (this.#hi[m * width + k] ?? 0) < at).length;
      const right = sample.filter(m => (this.#lo[m * width + k] ?? 0) >= at).length;
      const score = (Math.max(left, right) + sample.length - left - right) / sample.length;
      if (score >= bestScore) continue;
      bestScore = score;
      best = { k, at };
    }
    return best;
  }
}
