/**
 * A three-way interval tree: below a node lie the boxes on this side of a cut, on that side, and across it. Nodes stand
 * in one array in the order of a walk, each with the place of the node behind its last descendant, so that a search is a
 * loop without a stack; boxes are copied, leaf after leaf, into arrays that a search reads from front to back.
 */
import { holds, meets, type Boxes, type Region } from './boxes.js';
import { layOut, nodeWidth, type TreeLayout } from './tree-builder.js';

/** To `#leaf`: whatever bits the boxes have, or none. */
const anyBits = 0;

export class BoxTree {
  readonly #boxes: Boxes;
  readonly #tree: TreeLayout;
  /** The question, in the dimensions of the tree. */
  readonly #low: Int32Array;
  readonly #high: Int32Array;

  /** `members`: the boxes to index, sorted; one at least. */
  constructor(boxes: Boxes, members: Int32Array) {
    this.#boxes = boxes;
    this.#tree = layOut(boxes, members);
    this.#low = new Int32Array(this.#tree.dims.length);
    this.#high = new Int32Array(this.#tree.dims.length);
  }

  /** The first box from `from` on, and before `limit`, that holds the point; `limit` if none does. */
  first(point: Int32Array, from: number, limit: number): number {
    const { dims, order, lo, hi, more, nodes } = this.#tree;
    const low = this.#low;
    for (let k = 0; k < dims.length; k++) low[k] = point[dims[k] ?? 0] ?? 0;
    let best = limit;
    for (let node = this.#leaf(0, low, low, anyBits, from, best); node >= 0; node = this.#leaf(node + nodeWidth, low, low, anyBits, from, best)) {
      for (let i = nodes[node + 4] ?? 0, end = nodes[node + 5] ?? 0; i < end; i++) {
        const box = order[i] ?? 0;
        if (box >= best) break;
        if (box >= from && fits(lo, hi, i * dims.length, low, low) && (more[i] === 0 || holds(this.#boxes, box, point))) best = box;
      }
    }
    return best;
  }

  /** Whether some box in `from` … `to - 1` with one of the bits meets the region. */
  any(region: Region, bits: number, from: number, to: number): boolean {
    if (bits === 0) return false;
    const { dims, order, lo, hi, more, nodes } = this.#tree;
    const [low, high] = this.#ask(region);
    for (let node = this.#leaf(0, low, high, bits, from, to); node >= 0; node = this.#leaf(node + nodeWidth, low, high, bits, from, to)) {
      for (let i = nodes[node + 4] ?? 0, end = nodes[node + 5] ?? 0; i < end; i++) {
        const box = order[i] ?? 0;
        if (box >= to) break;
        if (box >= from && ((this.#boxes.bits[box] ?? 0) & bits) !== 0 && fits(lo, hi, i * dims.length, low, high) && (more[i] === 0 || meets(this.#boxes, box, region))) return true;
      }
    }
    return false;
  }

  /** Adds the boxes in `from` … `to - 1` with one of the bits that meet the region to `out`, while it has fewer than `limit`; unsorted. */
  meeting(region: Region, bits: number, from: number, to: number, out: number[], limit: number): void {
    if (bits === 0) return;
    const { dims, order, lo, hi, more, nodes } = this.#tree;
    const [low, high] = this.#ask(region);
    for (let node = this.#leaf(0, low, high, bits, from, to); node >= 0 && out.length < limit; node = this.#leaf(node + nodeWidth, low, high, bits, from, to)) {
      for (let i = nodes[node + 4] ?? 0, end = nodes[node + 5] ?? 0; i < end; i++) {
        const box = order[i] ?? 0;
        if (box >= to || out.length >= limit) break;
        if (box >= from && ((this.#boxes.bits[box] ?? 0) & bits) !== 0 && fits(lo, hi, i * dims.length, low, high) && (more[i] === 0 || meets(this.#boxes, box, region))) out.push(box);
      }
    }
  }

  #ask({ lo, hi }: Region): readonly [Int32Array, Int32Array] {
    const { dims } = this.#tree;
    const [low, high] = [this.#low, this.#high];
    for (let k = 0; k < dims.length; k++) {
      low[k] = lo[dims[k] ?? 0] ?? 0;
      high[k] = hi[dims[k] ?? 0] ?? 0;
    }
    return [low, high];
  }

  /** The next leaf, from the node at `at` on, that may have what is asked for; -1 behind the last. */
  #leaf(at: number, low: Int32Array, high: Int32Array, bits: number, from: number, limit: number): number {
    const { nodes, lowest, highest } = this.#tree;
    let node = at;
    while (node < nodes.length) {
      if ((nodes[node + 1] ?? 0) < limit && (nodes[node + 2] ?? 0) >= from && (bits === anyBits || ((nodes[node + 3] ?? 0) & bits) !== 0) && fits(lowest, highest, node / nodeWidth * low.length, low, high)) {
        if ((nodes[node + 4] ?? 0) >= 0) return node;
        node += nodeWidth;
      } else node = nodes[node] ?? 0;
    }
    return -1;
  }
}

/** Whether what stands at `at` meets low … high. */
function fits(lo: Int32Array, hi: Int32Array, at: number, low: Int32Array, high: Int32Array): boolean {
  for (let k = 0; k < low.length; k++) {
    if ((lo[at + k] ?? 0) > (high[k] ?? 0) || (hi[at + k] ?? 0) < (low[k] ?? 0)) return false;
  }
  return true;
}
