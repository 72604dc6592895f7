/**
 * An index over the boxes of one chain: which is the first that holds a point, and which of them meet a region.
 * A three-way interval tree: below a node lie the boxes on this side of a cut, on that side, and across it.
 */

/** Boxes side by side: box i spans lo[i·d+k] … hi[i·d+k] in dimension dims[k], where d is the number of dims. */
export interface Boxes {
  readonly dims: Int32Array;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  /** What makes a box matter to a question; a question asks for some of the bits. */
  readonly bits: Int32Array;
}

const leafSize = 8;
/** Up to here, looking at one after the other is faster. */
const linearLimit = 24;
const samples = 33;

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

export class BoxIndex {
  readonly #boxes: Boxes;
  /** Sorted. */
  readonly #members: Int32Array;
  readonly #root: Node | undefined;

  /** `members`: the boxes to index, sorted. */
  constructor(boxes: Boxes, members: Int32Array) {
    this.#boxes = boxes;
    this.#members = members;
    this.#root = members.length > linearLimit ? this.#build(members) : undefined;
  }

  /** The first box from `from` on, and before `limit`, that holds the point; `limit` if none does. */
  first(point: Int32Array, from: number, limit: number): number {
    if (this.#root !== undefined) return this.#firstBelow(this.#root, point, from, limit);
    for (const box of this.#members) {
      if (box < from) continue;
      if (box >= limit) break;
      if (this.holds(box, point)) return box;
    }
    return limit;
  }

  #firstBelow(root: Node, point: Int32Array, from: number, limit: number): number {
    const { dims } = this.#boxes;
    let best = limit;
    const open = [root];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.first >= best || node.last < from || !inside(dims, node.lo, node.hi, 0, point)) continue;
      if (node.members === undefined) open.push(...node.children);
      else for (const box of node.members) {
        if (box >= best) break;
        if (box >= from && this.holds(box, point)) best = box;
      }
    }
    return best;
  }

  /** The boxes in `from` … `to - 1` with one of the bits that meet the region; unsorted. */
  meeting(lo: Int32Array, hi: Int32Array, bits: number, from: number, to: number): number[] {
    const out: number[] = [];
    const take = (members: Int32Array): void => {
      for (const box of members) {
        if (box < from) continue;
        if (box >= to) break;
        if (((this.#boxes.bits[box] ?? 0) & bits) !== 0 && this.meets(box, lo, hi)) out.push(box);
      }
    };
    if (this.#root === undefined) take(this.#members);
    const open = this.#root === undefined ? [] : [this.#root];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.first >= to || node.last < from || (node.bits & bits) === 0 || !overlaps(this.#boxes.dims, node.lo, node.hi, 0, lo, hi)) continue;
      if (node.members === undefined) open.push(...node.children);
      else take(node.members);
    }
    return out;
  }

  holds(box: number, point: Int32Array): boolean {
    const { dims, lo, hi } = this.#boxes;
    return inside(dims, lo, hi, box * dims.length, point);
  }

  meets(box: number, lo: Int32Array, hi: Int32Array): boolean {
    return overlaps(this.#boxes.dims, this.#boxes.lo, this.#boxes.hi, box * this.#boxes.dims.length, lo, hi);
  }

  #build(members: Int32Array): Node {
    const { dims, lo, hi, bits } = this.#boxes;
    const width = dims.length;
    const low = new Int32Array(width).fill(0x7fff_ffff);
    const high = new Int32Array(width).fill(-1);
    let all = 0;
    let first = 0x7fff_ffff;
    let last = -1;
    for (const box of members) {
      all |= bits[box] ?? 0;
      if (box < first) first = box;
      if (box > last) last = box;
      for (let k = 0; k < width; k++) {
        low[k] = Math.min(low[k] ?? 0, lo[box * width + k] ?? 0);
        high[k] = Math.max(high[k] ?? 0, hi[box * width + k] ?? 0);
      }
    }
    const node = { lo: low, hi: high, first, last, bits: all };
    const cut = members.length > leafSize ? this.#bestCut(members, low, high) : undefined;
    if (cut === undefined) return { ...node, members: members.toSorted(), children: [] };
    const side = (box: number): number => (hi[box * width + cut.k] ?? 0) < cut.at ? 0 : (lo[box * width + cut.k] ?? 0) >= cut.at ? 1 : 2;
    const parts = [0, 1, 2].map(one => members.filter(box => side(box) === one)).filter(part => part.length > 0);
    if (parts.length === 1) return { ...node, members: members.toSorted(), children: [] };
    return { ...node, members: undefined, children: parts.map(part => this.#build(part)) };
  }

  /** The cut that leaves the fewest boxes to look at, judged by a sample; undefined where none is worth it. */
  #bestCut(members: Int32Array, low: Int32Array, high: Int32Array): { readonly k: number; readonly at: number } | undefined {
    const { dims, lo, hi } = this.#boxes;
    const width = dims.length;
    const step = Math.max(1, Math.floor(members.length / samples));
    let best: { k: number; at: number } | undefined;
    let bestScore = members.length * 0.95;
    for (let k = 0; k < width; k++) {
      const edges: number[] = [];
      for (let i = 0; i < members.length; i += step) {
        const at = (members[i] ?? 0) * width + k;
        if ((lo[at] ?? 0) > (low[k] ?? 0)) edges.push(lo[at] ?? 0);
        else if ((hi[at] ?? 0) < (high[k] ?? 0)) edges.push((hi[at] ?? 0) + 1);
      }
      if (edges.length === 0) continue;
      const at = edges.sort((a, b) => a - b)[edges.length >> 1] ?? 0;
      let [left, right, across, count] = [0, 0, 0, 0];
      for (let i = 0; i < members.length; i += step, count++) {
        const box = (members[i] ?? 0) * width + k;
        if ((hi[box] ?? 0) < at) left++;
        else if ((lo[box] ?? 0) >= at) right++;
        else across++;
      }
      const score = (Math.max(left, right) + across) * members.length / count;
      if (score < bestScore) {
        bestScore = score;
        best = { k, at };
      }
    }
    return best;
  }
}

function inside(dims: Int32Array, lo: Int32Array, hi: Int32Array, at: number, point: Int32Array): boolean {
  for (let k = 0; k < dims.length; k++) {
    const value = point[dims[k] ?? 0] ?? 0;
    if ((lo[at + k] ?? 0) > value || (hi[at + k] ?? 0) < value) return false;
  }
  return true;
}

function overlaps(dims: Int32Array, lo: Int32Array, hi: Int32Array, at: number, low: Int32Array, high: Int32Array): boolean {
  for (let k = 0; k < dims.length; k++) {
    const d = dims[k] ?? 0;
    if ((lo[at + k] ?? 0) > (high[d] ?? 0) || (hi[at + k] ?? 0) < (low[d] ?? 0)) return false;
  }
  return true;
}
