/** Writes the boxes of constraints: of what rules ask. */
import type { Constraint } from '../packet/constraint.js';
import { BoxWriter } from './box-writer.js';
import type { Dimensions } from './dimensions.js';
import { classOf, isNumeric, largestOf, scalarOf } from './fields.js';
import { intersect, type Intervals } from './intervals.js';
import { cellsOf, type Product } from './product.js';
import { productsOf } from './products.js';

/** More boxes for one rule than this, and it is taken as unknown. */
const cellLimit = 4096;

/** How many boxes were written, and how many of them, which come first, hang on nothing unknown. */
export interface Written {
  readonly count: number;
  readonly certain: number;
}

const none: Written = { count: 0, certain: 0 };
const single: Written = { count: 1, certain: 1 };
const doubtful: Written = { count: 1, certain: 0 };

/**
 * Most rules ask for a set of classes in each of a few dimensions, one product: those are put together from their parts,
 * and parts that rules share are read once.
 */
export class ConstraintWriter {
  readonly boxes: BoxWriter;
  readonly #dimensions: Dimensions;
  /** Undefined: it is more than one product, or none. */
  readonly #parts = new Map<Constraint, Product | undefined>();
  /** The product at hand: the dimensions that it says something of, around its classes in each, and where there is more than one interval, all. */
  readonly #named: Int32Array;
  #count = 0;
  readonly #lo: Int32Array;
  readonly #hi: Int32Array;
  readonly #sets = new Map<number, Intervals>();
  #soft = false;

  constructor(dimensions: Dimensions, boxes: BoxWriter = new BoxWriter()) {
    this.boxes = boxes;
    this.#dimensions = dimensions;
    this.#named = new Int32Array(dimensions.last.length);
    this.#lo = new Int32Array(dimensions.last.length);
    this.#hi = new Int32Array(dimensions.last.length).fill(-1);
  }

  /** Writes a constraint's boxes, the certain ones first. */
  write(constraint: Constraint): Written {
    const written = this.#read(constraint) ? this.#product() : undefined;
    for (let i = 0; i < this.#count; i++) this.#hi[this.#named[i] ?? 0] = -1;
    this.#count = 0;
    if (this.#sets.size > 0) this.#sets.clear();
    this.#soft = false;
    return written ?? this.#cells(constraint);
  }

  /** Writes the product at hand; undefined where that would be too many boxes. */
  #product(): Written | undefined {
    let count = 1;
    for (let i = 0; i < this.#count; i++) {
      const d = this.#named[i] ?? 0;
      if ((this.#lo[d] ?? 0) > (this.#hi[d] ?? 0)) return none;
      count *= (this.#sets.get(d)?.length ?? 2) / 2;
    }
    if (count > cellLimit) return undefined;
    for (let box = 0; box < count; box++) this.#box(box, count);
    return count > 1 ? { count, certain: this.#soft ? 0 : count } : this.#soft ? doubtful : single;
  }

  /** One of the boxes of the product at hand. The last dimension goes round fastest. */
  #box(box: number, count: number): void {
    let below = count;
    for (let i = 0; i < this.#count; i++) {
      const d = this.#named[i] ?? 0;
      const set = count === 1 ? undefined : this.#sets.get(d);
      if (set === undefined) this.boxes.side(d, this.#lo[d] ?? 0, this.#hi[d] ?? 0);
      else {
        below /= set.length / 2;
        const part = 2 * (Math.floor(box / below) % (set.length / 2));
        this.boxes.side(d, set[part] ?? 0, set[part + 1] ?? 0);
      }
    }
    this.boxes.close();
  }

  #cells(constraint: Constraint): Written {
    const cells = cellsOf(productsOf(this.#dimensions, constraint), cellLimit);
    for (const { sides } of cells) {
      for (const { dimension, low, high } of sides) this.boxes.side(dimension, low, high);
      this.boxes.close();
    }
    return { count: cells.length, certain: cells.filter(cell => !cell.soft).length };
  }

  /** Cuts the product at hand down to a part of the constraint; false where it would no longer be one. */
  #read(constraint: Constraint): boolean {
    switch (constraint.kind) {
      case 'always': return true;
      case 'within': if (constraint.ranges.length === 1) return this.#range(constraint) || this.#shared(constraint); break;
      case 'all': for (const part of constraint.of) if (!this.#read(part)) return false;
        return true;
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
    this.#narrow(index, classOf(dimension.starts, low), classOf(dimension.starts, high), undefined);
    return true;
  }

  #shared(constraint: Constraint): boolean {
    let product = this.#parts.get(constraint);
    if (product === undefined && !this.#parts.has(constraint)) this.#parts.set(constraint, product = this.#productOf(constraint));
    if (product === undefined) return false;
    for (const { dimension, low, high, set } of product.sides) this.#narrow(dimension, low, high, set);
    this.#soft ||= product.soft;
    return true;
  }

  #productOf(constraint: Constraint): Product | undefined {
    const [product, second] = productsOf(this.#dimensions, constraint);
    return second === undefined ? product : undefined;
  }

  #narrow(d: number, low: number, high: number, set: Intervals | undefined): void {
    const [before, after] = [this.#lo[d] ?? 0, this.#hi[d] ?? 0];
    const known = this.#sets.size === 0 ? undefined : this.#sets.get(d);
    if (after < 0) {
      this.#named[this.#count++] = d;
      this.#keep(d, low, high, set);
    } else if (known === undefined && set === undefined) {
      // Where nothing is left, low stays above high.
      if (low > before) this.#lo[d] = low;
      if (high < after) this.#hi[d] = high;
    } else {
      const both = before > after ? [] : intersect(known ?? [before, after], set ?? [low, high]);
      this.#keep(d, both[0] ?? 1, both.at(-1) ?? 0, both.length > 2 ? both : undefined);
    }
  }

  #keep(d: number, low: number, high: number, set: Intervals | undefined): void {
    this.#lo[d] = low;
    this.#hi[d] = high;
    if (set === undefined) this.#sets.delete(d);
    else this.#sets.set(d, set);
  }
}
