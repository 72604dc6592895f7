/** Parts of all inputs, cut up; and where on a path packets are at all. */
import type { Constraint } from '../../../packet/constraint.js';
import { cellsOf } from '../../product.js';
import { productsOf } from '../../products.js';
import type { PartClaim } from '../claim.js';
import { hull, inside, outside, type Classes, type Part } from '../part.js';
import type { Pipeline } from '../passes.js';
import type { Path } from '../stages.js';
import { universe } from '../universe.js';

/** What is left of a part when what a claim says of it is put aside: what lies around the claim, and its holes. */
export function restOf(part: Part, claim: PartClaim): { readonly around: readonly Part[]; readonly holes: readonly Part[] } {
  return { around: outside(part, claim), holes: claim.holes.flatMap(hole => inside(claim, hole) ?? []) };
}

/** Inputs of a path's packets that are looked at in one part; of the interfaces, `lo` may have to be left out of it. */
export interface Space {
  readonly whole: Part;
  /** Inputs that are not the class: [input, class]. */
  readonly without: readonly (readonly [number, number])[];
  /** Around all parts of the path: what is no narrower than this goes without saying. */
  readonly hull: Pick<Part, 'lo' | 'hi'>;
}

const noChoices: ReadonlyMap<number, number> = new Map();

/** The parts of a path: what differs in the interfaces only is one. */
export function spacesOf(pipeline: Pipeline, path: Path): readonly Space[] {
  const { fields, list } = pipeline.chains.dimensions;
  const interfaces = (['in', 'out'] as const).map(field => fields.get(field)?.[0] ?? -1);
  const groups = new Map<string, Pick<Part, 'lo' | 'hi'>[]>();
  const regions = universe(pipeline, path);
  for (const region of regions) {
    const key = [region.lo, region.hi].map(side => side.filter((_, i) => !interfaces.includes(i)).join()).join(' ');
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [region]);
    else known.push(region);
  }
  const all = hull(regions);
  return [...groups.values()].map(own => {
    const without = interfaces.flatMap((input): [number, number][] => {
      const names = list[input];
      const loopback = names?.kind === 'name' ? names.names.classOf('lo') : 0;
      return own.some(({ lo, hi }) => (lo[input] ?? 0) <= loopback && (hi[input] ?? 0) >= loopback) || own.every(({ hi }) => hi[input] === 0) ? [] : [[input, loopback]];
    });
    return { whole: hull(own), without, hull: all };
  });
}

/** The first packet of a part; undefined where the part holds none that could come on the path. */
export function pointIn({ without }: Space, part: Part): Classes | undefined {
  const point = part.lo.slice();
  for (const [input, not] of without) {
    if (point[input] !== not) continue;
    if ((part.hi[input] ?? 0) <= not) return undefined;
    point[input] = not + 1;
  }
  return point;
}

const cellLimit = 4096;

/** The packets of a constraint on a path. */
export function partsWithin({ chains }: Pipeline, { whole }: Space, packets: Constraint): Part[] {
  return cellsOf(productsOf(chains.dimensions, packets), cellLimit).flatMap(({ sides }) => {
    const [lo, hi] = [whole.lo.slice(), whole.hi.slice()];
    for (const { dimension, low, high } of sides) {
      if (dimension >= chains.fieldCount) continue;
      lo[dimension] = Math.max(lo[dimension] ?? 0, low);
      hi[dimension] = Math.min(hi[dimension] ?? 0, high);
      if ((lo[dimension] ?? 0) > (hi[dimension] ?? 0)) return [];
    }
    return [{ lo, hi, choices: noChoices }];
  });
}
