/** Writes boxes down one after the other, in typed arrays that grow. */
import type { Constraint } from '../packet/constraint.js';
import type { Boxes } from './boxes.js';
import type { Dimensions } from './dimensions.js';
import { classOf, isNumeric, largestOf, scalarOf } from './fields.js';
import { cellsOf, productsOf } from './products.js';

/** More boxes for one rule than this, and it is taken as unknown. */
const cellLimit = 4096;

export class BoxWriter {
  count = 0;
  #at = new Int32Array(64);
  #dim = new Int32Array(256);
  #lo = new Int32Array(256);
  #hi = new Int32Array(256);
  #sides = 0;

  side(dimension: number, low: number, high: number): void {
    const i = this.#sides++;
    if (i === this.#dim.length) {
      this.#dim = grown(this.#dim);
      this.#lo = grown(this.#lo);
      this.#hi = grown(this.#hi);
    }
    this.#dim[i] = dimension;
    this.#lo[i] = low;
    this.#hi[i] = high;
  }

  /** The sides since the last call make a box. */
  close(): void {
    this.count++;
    if (this.count === this.#at.length) this.#at = grown(this.#at);
    this.#at[this.count] = this.#sides;
  }

  /** To begin anew. */
  clear(): void {
    this.count = 0;
    this.#sides = 0;
  }

  finish(): Pick<Boxes, 'at' | 'dim' | 'lo' | 'hi'> {
    return { at: this.#at.slice(0, this.count + 1), dim: this.#dim.slice(0, this.#sides), lo: this.#lo.slice(0, this.#sides), hi: this.#hi.slice(0, this.#sides) };
  }
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** Sides of a constraint that is one box: dimension, low, high, and so on. Undefined: it is not one. */
type Sides = readonly number[] | undefined;

/**
 * Writes the boxes of constraints. Most rules ask for one interval in each of a few dimensions: those are put together
 * from their parts, and parts that rules share are read once.
 */
export class ConstraintWriter {
  readonly boxes: BoxWriter;
  readonly #dimensions: Dimensions;
  readonly #parts = new Map<Constraint, Sides>();
  readonly #lo: Int32Array;
  readonly #hi: Int32Array;
  /** The dimensions that the constraint at hand says something of. */
  readonly #named: number[] = [];

  constructor(dimensions: Dimensions, boxes: BoxWriter = new BoxWriter()) {
    this.boxes = boxes;
    this.#dimensions = dimensions;
    this.#lo = new Int32Array(dimensions.last.length);
    this.#hi = new Int32Array(dimensions.last.length).fill(-1);
  }

  /** Writes a constraint's boxes, the certain ones first; how many there are, and how many are certain. */
  write(constraint: Constraint): { readonly count: number; readonly certain: number } {
    const isBox = this.#read(constraint, true);
    const isEmpty = this.#named.some(d => (this.#lo[d] ?? 0) > (this.#hi[d] ?? 0));
    if (isBox && !isEmpty) {
      for (const d of this.#named) this.boxes.side(d, this.#lo[d] ?? 0, this.#hi[d] ?? 0);
      this.boxes.close();
    }
    for (const d of this.#named) {
      this.#lo[d] = 0;
      this.#hi[d] = -1;
    }
    this.#named.length = 0;
    if (!isBox) return this.#cells(constraint);
    return isEmpty ? none : single;
  }

  #cells(constraint: Constraint): { readonly count: number; readonly certain: number } {
    const cells = cellsOf(productsOf(this.#dimensions, constraint), cellLimit);
    for (const { sides } of cells) {
      for (const { dimension, low, high } of sides) this.boxes.side(dimension, low, high);
      this.boxes.close();
    }
    return { count: cells.length, certain: cells.filter(cell => !cell.soft).length };
  }

  /** Cuts the box at hand down to a part of the constraint; false where it has no single box. */
  #read(constraint: Constraint, isWhole: boolean): boolean {
    switch (constraint.kind) {
      case 'always': return true;
      case 'within': if (constraint.ranges.length === 1) return this.#range(constraint) || this.#shared(constraint); break;
      case 'all': if (isWhole) return constraint.of.every(part => this.#read(part, false)); break;
      default:
    }
    return this.#shared(constraint);
  }

  #range({ field, ranges: [range] }: Extract<Constraint, { kind: 'within' }>): boolean {
    const { fields, list, family } = this.#dimensions;
    const index = fields.get(field)?.[0];
    const dimension = list[index ?? -1];
    if (range === undefined || index === undefined || dimension?.kind !== 'range' || !isNumeric(field)) return false;
    const low = scalarOf(field, family, range.low);
    const high = scalarOf(field, family, range.high);
    if (low > high || high > largestOf(field, family)) return false;
    this.#narrow(index, classOf(dimension.starts, low), classOf(dimension.starts, high));
    return true;
  }

  #shared(constraint: Constraint): boolean {
    let sides = this.#parts.get(constraint);
    if (sides === undefined && !this.#parts.has(constraint)) this.#parts.set(constraint, sides = this.#sidesOf(constraint));
    if (sides === undefined) return false;
    for (let i = 0; i < sides.length; i += 3) this.#narrow(sides[i] ?? 0, sides[i + 1] ?? 0, sides[i + 2] ?? 0);
    return true;
  }

  #sidesOf(constraint: Constraint): Sides {
    const [product, second] = productsOf(this.#dimensions, constraint);
    if (product === undefined || second !== undefined || product.soft) return undefined;
    const sides: number[] = [];
    for (const [d, set] of product.sets) {
      if (set.length !== 2) return undefined;
      sides.push(d, set[0] ?? 0, set[1] ?? 0);
    }
    return sides;
  }

  #narrow(d: number, low: number, high: number): void {
    if ((this.#hi[d] ?? 0) < 0) {
      this.#named.push(d);
      this.#lo[d] = low;
      this.#hi[d] = high;
    } else {
      // Where nothing is left, low stays above high.
      if (low > (this.#lo[d] ?? 0)) this.#lo[d] = low;
      if (high < (this.#hi[d] ?? 0)) this.#hi[d] = high;
    }
  }
}

const none = { count: 0, certain: 0 };
const single = { count: 1, certain: 1 };
