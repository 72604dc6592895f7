/** Parts of all inputs, cut up; and where on a path packets are at all. */
import type { Constraint } from '../../../packet/constraint.js';
import { outside as outsideRegion } from '../../boxes.js';
import { cellsOf, productsOf } from '../../products.js';
import type { Part, PartClaim } from '../claim.js';
import type { Pipeline } from '../passes.js';
import { inside } from '../solve.js';
import type { Path } from '../stages.js';
import { universe } from '../universe.js';

/** What is left of a part when what a claim says of it is put aside: what lies around the claim, and its holes. */
export function restOf(part: Part, claim: PartClaim): { readonly around: readonly Part[]; readonly holes: readonly Part[] } {
  return { around: outside(part, claim), holes: claim.holes.flatMap(hole => inside(claim, hole) ?? []) };
}

function outside(part: Part, claim: PartClaim): Part[] {
  const out: Part[] = outsideRegion(part, claim).map(region => ({ ...region, choices: part.choices }));
  const choices = new Map(part.choices);
  for (const [choice, value] of claim.choices) {
    if (choices.has(choice)) continue;
    out.push({ lo: claim.lo, hi: claim.hi, choices: new Map([...choices, [choice, 1 - value]]) });
    choices.set(choice, value);
  }
  return out;
}

export function contains(outer: Part, inner: Part): boolean {
  for (const [choice, value] of outer.choices) if (inner.choices.get(choice) !== value) return false;
  for (let i = 0; i < inner.lo.length; i++) if ((outer.lo[i] ?? 0) > (inner.lo[i] ?? 0) || (outer.hi[i] ?? 0) < (inner.hi[i] ?? 0)) return false;
  return true;
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

function around(regions: readonly Pick<Part, 'lo' | 'hi'>[]): Part {
  const [lo, hi] = [(regions[0]?.lo ?? new Int32Array()).slice(), (regions[0]?.hi ?? new Int32Array()).slice()];
  for (const region of regions) for (let i = 0; i < lo.length; i++) {
    lo[i] = Math.min(lo[i] ?? 0, region.lo[i] ?? 0);
    hi[i] = Math.max(hi[i] ?? 0, region.hi[i] ?? 0);
  }
  return { lo, hi, choices: noChoices };
}

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
  const hull = around(regions);
  return [...groups.values()].map(own => {
    const without = interfaces.flatMap((input): [number, number][] => {
      const names = list[input];
      const loopback = names?.kind === 'name' ? names.names.classOf('lo') : 0;
      return own.some(({ lo, hi }) => (lo[input] ?? 0) <= loopback && (hi[input] ?? 0) >= loopback) || own.every(({ hi }) => hi[input] === 0) ? [] : [[input, loopback]];
    });
    return { whole: around(own), without, hull };
  });
}

/** The first packet of a part; undefined where the part holds none that could come on the path. */
export function pointIn({ without }: Space, part: Part): Int32Array | undefined {
  let point = part.lo;
  for (const [input, not] of without) {
    if (point[input] !== not) continue;
    if ((part.hi[input] ?? 0) <= not) return undefined;
    if (point === part.lo) point = part.lo.slice();
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
