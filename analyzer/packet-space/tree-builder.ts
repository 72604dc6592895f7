/** Lays boxes out as a three-way interval tree (see box-tree.ts). */
import type { Boxes } from './boxes.js';

/** Numbers to a node: where the walk goes on if it is left out; its first and its last box; its boxes' bits; a leaf's places, else -1. */
export const nodeWidth = 6;

export interface TreeLayout {
  /** The tree knows these dimensions only: those that most boxes say something of. */
  readonly dims: Int32Array;
  /** The boxes, leaf after leaf, sorted in each; their sides in each of the dimensions; 1 where a box says more than that. */
  readonly order: Int32Array;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  readonly more: Uint8Array;
  readonly nodes: Int32Array;
  /** Around the boxes of each node. */
  readonly lowest: Int32Array;
  readonly highest: Int32Array;
}

const leafSize = 8;
const samples = 33;
const dimensionLimit = 24;

/** `members`: sorted. */
export function layOut(boxes: Boxes, members: Int32Array): TreeLayout {
  return new TreeBuilder(boxes, members, commonDims(boxes, members)).finish();
}

/** The most telling first, so that what does not fit is seen early. */
function commonDims({ at, dim, last }: Boxes, members: Int32Array): Int32Array {
  const uses = new Int32Array(last.length);
  const used: number[] = [];
  for (const box of members) {
    for (let i = at[box] ?? 0, end = at[box + 1] ?? 0; i < end; i++) {
      const d = dim[i] ?? 0;
      if (uses[d] === 0) used.push(d);
      uses[d] = (uses[d] ?? 0) + 1;
    }
  }
  used.sort((a, b) => (uses[b] ?? 0) - (uses[a] ?? 0) || a - b);
  return Int32Array.from(used.slice(0, dimensionLimit).sort((a, b) => (last[b] ?? 0) - (last[a] ?? 0) || a - b));
}

/** Works on a dense copy: member m spans lo[m·width + k] … hi[m·width + k] in dimension dims[k]. */
class TreeBuilder {
  readonly #boxes: Boxes;
  readonly #members: Int32Array;
  readonly #dims: Int32Array;
  readonly #width: number;
  readonly #lo: Int32Array;
  readonly #hi: Int32Array;
  readonly #more: Uint8Array;
  /** Members in the order of the leaves so far. */
  readonly #order: Int32Array;
  readonly #spare: Int32Array;
  readonly #edges = new Int32Array(samples);
  #nodes = new Int32Array(16 * nodeWidth);
  #lowest: Int32Array;
  #highest: Int32Array;
  #count = 0;

  constructor(boxes: Boxes, members: Int32Array, dims: Int32Array) {
    this.#boxes = boxes;
    this.#members = members;
    this.#dims = dims;
    this.#width = dims.length;
    this.#lo = new Int32Array(members.length * dims.length);
    this.#hi = new Int32Array(members.length * dims.length);
    this.#more = new Uint8Array(members.length);
    this.#order = new Int32Array(members.length);
    this.#spare = new Int32Array(members.length);
    this.#lowest = new Int32Array(16 * dims.length);
    this.#highest = new Int32Array(16 * dims.length);
    this.#copy();
  }

  #copy(): void {
    const { at, dim, lo, hi, last } = this.#boxes;
    const place = new Int32Array(last.length).fill(-1);
    this.#dims.forEach((d, k) => { place[d] = k; });
    for (let m = 0; m < this.#members.length; m++) {
      const box = this.#members[m] ?? 0;
      const start = m * this.#width;
      this.#order[m] = m;
      for (let k = 0; k < this.#width; k++) this.#hi[start + k] = last[this.#dims[k] ?? 0] ?? 0;
      for (let i = at[box] ?? 0, end = at[box + 1] ?? 0; i < end; i++) {
        const k = place[dim[i] ?? 0] ?? -1;
        if (k < 0) this.#more[m] = 1;
        else {
          this.#lo[start + k] = lo[i] ?? 0;
          this.#hi[start + k] = hi[i] ?? 0;
        }
      }
    }
  }

  finish(): TreeLayout {
    this.#build(0, this.#order.length);
    const [order, width] = [this.#order, this.#width];
    const [lo, hi] = [new Int32Array(this.#lo.length), new Int32Array(this.#hi.length)];
    for (let i = 0; i < order.length; i++) {
      const from = (order[i] ?? 0) * width;
      for (let k = 0; k < width; k++) {
        lo[i * width + k] = this.#lo[from + k] ?? 0;
        hi[i * width + k] = this.#hi[from + k] ?? 0;
      }
    }
    return {
      dims: this.#dims, order: order.map(m => this.#members[m] ?? 0), lo, hi, more: Uint8Array.from(order, m => this.#more[m] ?? 0),
      nodes: this.#nodes.slice(0, this.#count * nodeWidth), lowest: this.#lowest.slice(0, this.#count * width), highest: this.#highest.slice(0, this.#count * width),
    };
  }

  /** Makes a node of the members at the places start … end - 1, which are sorted. */
  #build(start: number, end: number): number {
    const node = this.#add(start, end);
    const cut = end - start > leafSize ? this.#bestCut(start, end) : undefined;
    const parts = cut === undefined ? undefined : this.#partition(cut, start, end);
    if (parts === undefined) this.#close(node, start, end);
    else {
      let from = start;
      for (const to of parts) {
        if (to > from) this.#join(node, this.#build(from, to));
        from = to;
      }
    }
    this.#nodes[node * nodeWidth] = this.#count * nodeWidth;
    return node;
  }

  #add(start: number, end: number): number {
    const node = this.#count++;
    const width = this.#width;
    if (node * nodeWidth === this.#nodes.length) {
      this.#nodes = doubled(this.#nodes);
      this.#lowest = doubled(this.#lowest);
      this.#highest = doubled(this.#highest);
    }
    this.#lowest.fill(0x7fff_ffff, node * width, node * width + width);
    this.#highest.fill(-1, node * width, node * width + width);
    const at = node * nodeWidth;
    this.#nodes[at + 1] = this.#members[this.#order[start] ?? 0] ?? 0;
    this.#nodes[at + 2] = this.#members[this.#order[end - 1] ?? 0] ?? 0;
    this.#nodes[at + 4] = -1;
    return node;
  }

  /** A leaf. */
  #close(node: number, start: number, end: number): void {
    const [nodes, width, lowest, highest] = [this.#nodes, this.#width, this.#lowest, this.#highest];
    let bits = 0;
    for (let i = start; i < end; i++) {
      const m = this.#order[i] ?? 0;
      bits |= this.#boxes.bits[this.#members[m] ?? 0] ?? 0;
      widen(lowest, highest, node * width, this.#lo, this.#hi, m * width, width);
    }
    nodes[node * nodeWidth + 3] = bits;
    nodes[node * nodeWidth + 4] = start;
    nodes[node * nodeWidth + 5] = end;
  }

  /** What lies below a node lies in it. */
  #join(node: number, child: number): void {
    const [nodes, width] = [this.#nodes, this.#width];
    nodes[node * nodeWidth + 3] = (nodes[node * nodeWidth + 3] ?? 0) | (nodes[child * nodeWidth + 3] ?? 0);
    widen(this.#lowest, this.#highest, node * width, this.#lowest, this.#highest, child * width, width);
  }

  /** Sorts places into what lies across the cut, below and above it, each in order; where the parts end. Undefined where all are of one part. */
  #partition({ k, at }: Cut, start: number, end: number): readonly number[] | undefined {
    const [order, spare, width] = [this.#order, this.#spare, this.#width];
    let [across, below, above] = [start, 0, end - start];
    for (let i = start; i < end; i++) {
      const m = order[i] ?? 0;
      if ((this.#hi[m * width + k] ?? 0) < at) spare[below++] = m;
      else if ((this.#lo[m * width + k] ?? 0) >= at) spare[--above] = m;
      else order[across++] = m;
    }
    const middle = across + below;
    order.set(spare.subarray(0, below), across);
    order.set(spare.subarray(above, end - start).reverse(), middle);
    return across === end || (across === start && (below === 0 || middle === end)) ? undefined : [across, middle, end];
  }

  /** The cut that leaves the fewest boxes to look at, judged by a sample; undefined where none is worth it. */
  #bestCut(start: number, end: number): Cut | undefined {
    const [order, width] = [this.#order, this.#width];
    const step = Math.ceil((end - start) / samples);
    let best: Cut | undefined;
    let bestScore = 0.95;
    for (let k = 0; k < width; k++) {
      const at = this.#middleEdge(k, start, end, step);
      if (at === undefined) continue;
      let [left, right, all] = [0, 0, 0];
      for (let i = start; i < end; i += step, all++) {
        const m = order[i] ?? 0;
        if ((this.#hi[m * width + k] ?? 0) < at) left++;
        else if ((this.#lo[m * width + k] ?? 0) >= at) right++;
      }
      const score = (all - Math.min(left, right)) / all;
      if (score >= bestScore) continue;
      bestScore = score;
      best = { k, at };
    }
    return best;
  }

  /** Of the edges of sampled boxes that are not at the edge of all of them, the middle one. */
  #middleEdge(k: number, start: number, end: number, step: number): number | undefined {
    const [order, width, edges] = [this.#order, this.#width, this.#edges];
    let [low, high] = [0x7fff_ffff, -1];
    for (let i = start; i < end; i += step) {
      const at = (order[i] ?? 0) * width + k;
      low = Math.min(low, this.#lo[at] ?? 0);
      high = Math.max(high, this.#hi[at] ?? 0);
    }
    let count = 0;
    for (let i = start; i < end; i += step) {
      const at = (order[i] ?? 0) * width + k;
      if ((this.#lo[at] ?? 0) > low) edges[count++] = this.#lo[at] ?? 0;
      else if ((this.#hi[at] ?? 0) < high) edges[count++] = (this.#hi[at] ?? 0) + 1;
    }
    return count === 0 ? undefined : middleOf(edges, count);
  }
}

/** Widens the box at `to` so that it holds the one at `from`. */
function widen(lowest: Int32Array, highest: Int32Array, to: number, lo: Int32Array, hi: Int32Array, from: number, width: number): void {
  for (let k = 0; k < width; k++) {
    if ((lo[from + k] ?? 0) < (lowest[to + k] ?? 0)) lowest[to + k] = lo[from + k] ?? 0;
    if ((hi[from + k] ?? 0) > (highest[to + k] ?? 0)) highest[to + k] = hi[from + k] ?? 0;
  }
}

/** What would stand in the middle if the first few numbers were in order; they are put in order. */
function middleOf(numbers: Int32Array, count: number): number {
  for (let i = 1; i < count; i++) {
    const one = numbers[i] ?? 0;
    let at = i;
    for (; at > 0 && (numbers[at - 1] ?? 0) > one; at--) numbers[at] = numbers[at - 1] ?? 0;
    numbers[at] = one;
  }
  return numbers[count >> 1] ?? 0;
}

interface Cut {
  readonly k: number;
  readonly at: number;
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
