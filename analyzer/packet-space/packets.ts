/** The packets that a question is about, as regions of a table's space. */
import type { Constraint } from '../packet/constraint.js';
import { DimensionBuilder, type Dimension, type Dimensions } from './dimensions.js';
import { holdsOfSome } from './field-by-field.js';
import { previous, type Scalar } from './fields.js';
import { copyOf, type Region } from './boxes.js';
import { cellsOf, type Cell } from './product.js';
import { productsOf } from './products.js';
import { isImpossible } from './tracked-states.js';

/** More regions than this, and the question is asked of all packets. */
const regionLimit = 4096;

export interface Packets {
  readonly constraint: Constraint;
  /** Within the packets of a hook: all that are meant. Classes of values go whole, even where the question cuts them. */
  readonly regions: (hook: Region) => readonly Region[];
  /** Whether a packet is meant hangs on something unknown. */
  readonly soft: boolean;
}

function isBeside(sides: Cell['sides'], { lo, hi }: Region): boolean {
  for (const { dimension, low, high } of sides) if (low > (hi[dimension] ?? 0) || high < (lo[dimension] ?? 0)) return true;
  return false;
}

export function packetsOf(dimensions: Dimensions, constraint: Constraint): Packets {
  const cells = cellsOf(productsOf(dimensions, constraint), regionLimit);
  const regions = (hook: Region): Region[] => cells.flatMap(({ sides }) => {
    // Most questions are not about packets of this hook, and then nothing need be copied.
    if (isBeside(sides, hook)) return [];
    const region = copyOf(hook);
    for (const { dimension, low, high } of sides) {
      region.lo[dimension] = Math.max(region.lo[dimension] ?? 0, low);
      region.hi[dimension] = Math.min(region.hi[dimension] ?? 0, high);
    }
    return [region];
  });
  return { constraint, regions, soft: cells.some(cell => cell.soft) };
}

/** What a question says of the values of one dimension of its own. */
export interface Wish {
  readonly dimension: Dimension;
  /** Classes of that dimension. */
  readonly low: number;
  readonly high: number;
}

/** The question in its own terms, for the choice of values: any of the lists will do. */
export function wishesOf(family: Dimensions['family'], constraint: Constraint): readonly (readonly Wish[])[] {
  const builder = new DimensionBuilder(family);
  builder.add(constraint);
  const own = builder.finish();
  return cellsOf(productsOf(own, constraint), regionLimit).map(({ sides }) => sides.flatMap(({ dimension, low, high }) => {
    const one = own.list[dimension];
    return one === undefined ? [] : [{ dimension: one, low, high }];
  }));
}

/** The values of some classes of a range dimension. */
export function valuesOf(dimension: Extract<Dimension, { kind: 'range' }>, low: number, high: number): { readonly low: Scalar; readonly high: Scalar } {
  const after = dimension.starts[high + 1];
  return { low: dimension.starts[low] ?? 0, high: after === undefined ? dimension.max : previous(after) };
}

/** True where a constraint excludes every packet. */
export function isNothing(family: Dimensions['family'], constraint: Constraint): boolean {
  if (holdsOfSome(family, constraint)) return false;
  const builder = new DimensionBuilder(family);
  builder.add(constraint);
  const own = builder.finish();
  return packetsOf(own, constraint).regions({ lo: new Int32Array(own.last.length), hi: own.last }).every(region => isImpossible(own.tracked, region));
}
