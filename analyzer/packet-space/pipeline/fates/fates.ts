/** What becomes of the packets of a question, as few claims as will say it. */
import type { Constraint } from '../../../packet/constraint.js';
import type { RuleAt } from '../../answers.js';
import { Justifier, type PartClaim } from '../claim.js';
import type { Classes, Part } from '../part.js';
import { partsWithin, pointIn, restOf, spacesOf, type Space } from '../difference/rest.js';
import { follow, type Pipeline, type Trip } from '../passes.js';
import { OutOfBudget } from '../run.js';
import { solveBudget, type SolveBudget } from '../solve.js';
import type { Path } from '../stages.js';
import { boxOf, readable, sizeOf, type Box, type ReadableBox } from './box.js';
import { fateOf, type Fate } from './fate-words.js';
import { Ends, passes, stoppedAt, writable } from './outcome.js';
import { fewer } from './fewer.js';
import { LargestFirst } from './largest-first.js';

/** All packets of a part that no claim before was about have this fate. */
export interface FateClaim {
  readonly fate: Fate;
  readonly part: ReadableBox;
  /** The part by inputs; its holes are what was not looked at. */
  readonly box: Box;
  /** The rules that it rests on, in the order of the tables. Rules that only share the packets among them, all with this fate, are not named. */
  readonly rules: readonly RuleAt[];
  /** How many packets the part holds at most, as a power of two. */
  readonly size: number;
}

/** What becomes of the packets of a question. */
export interface Fates {
  /** In order: of those that hold a packet, the first says what becomes of it. */
  readonly claims: readonly FateClaim[];
  /** Every packet of the question is in one. */
  readonly complete: boolean;
  /** Parts that were not looked at. */
  readonly left: number;
}

/** How much `fates` says, and of what. */
export interface FatesOptions {
  /** About how many claims are made. Default 40. */
  readonly limit?: number;
  /** Also those that the kernel treats in unusual ways: packets that are NEW and not the first of their connections, that it sends because of others. */
  readonly unusual?: boolean;
  readonly budget?: SolveBudget;
}

/** What was found out about one part, and about what is left of it. */
interface Node {
  readonly space: Space;
  readonly part: Part;
  readonly size: number;
  /** The fate of the claim whose hole this is in. */
  readonly under: string | undefined;
  found: { readonly claim: PartClaim; readonly trip: Trip; readonly fate: Fate; readonly key: string; readonly holes: readonly Node[]; readonly around: readonly Node[] } | undefined;
}

/**
 * What becomes of all packets of `packets` that come along a path: large parts are looked at first. The pipeline must have been made with
 * `packets` among what is asked, or bounds that no rule mentions are taken whole.
 */
export function fates(pipeline: Pipeline, path: Path, packets: Constraint, { limit = 40, unusual = false, budget = solveBudget() }: FatesOptions = {}): Fates {
  const teller = new Teller(pipeline, path, budget);
  const isUsual = ({ whole: { hi } }: Space): boolean => hi[pipeline.natInput] === 0 && hi[pipeline.rawInput] === 0;
  const roots = spacesOf(pipeline, path).filter(space => unusual || isUsual(space)).flatMap(space => partsWithin(pipeline, space, packets).map(part => teller.node(space, part, undefined)));
  const open = new LargestFirst<Node>();
  for (const root of roots) open.push(root);
  let made = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (made >= limit || !teller.look(node)) break;
    if (node.found !== undefined && node.found.key !== node.under) made++;
    for (const one of [...node.found?.holes ?? [], ...node.found?.around ?? []]) open.push(one);
  }
  const blocks = roots.flatMap(root => blocksOf(root)).sort(bySize);
  const left = roots.reduce((sum, root) => sum + openIn(root), 0);
  return { claims: fewer(blocks.flat().map(one => teller.tell(one))).map(one => teller.word(one)), complete: left === 0, left };
}

const bySize = (a: readonly Node[], b: readonly Node[]): number => (b.at(-1)?.size ?? 0) - (a.at(-1)?.size ?? 0);

/** The nodes of a part, claims about holes before what they are holes of; blocks are about different packets. */
function blocksOf({ found, ...node }: Node): Node[][] {
  if (found === undefined) return [];
  const before = found.holes.flatMap(hole => blocksOf(hole).sort(bySize).flat());
  const own: Node[] = found.key === node.under ? [] : [{ ...node, found }];
  return [[...before, ...own], ...found.around.flatMap(blocksOf)].filter(block => block.length > 0);
}

function isOpen({ found, part, space }: Node): boolean {
  return found === undefined && pointIn(space, part) !== undefined;
}

function openIn(node: Node): number {
  const { found } = node;
  return found === undefined ? (isOpen(node) ? 1 : 0) : [...found.holes, ...found.around].reduce((sum, one) => sum + openIn(one), 0);
}

/** All that was not looked at within the holes of a node. */
function openHoles(node: Node): readonly Part[] {
  const { found } = node;
  if (found === undefined) return isOpen(node) ? [node.part] : [];
  return [...found.holes, ...found.around].flatMap(openHoles);
}

type Told = Omit<FateClaim, 'part' | 'size'> & { readonly key: string; readonly space: Space; readonly trip: Trip; readonly isWhole: boolean };

class Teller {
  readonly #pipeline: Pipeline;
  readonly #path: Path;
  readonly #budget: SolveBudget;
  readonly #ends: Ends;

  constructor(pipeline: Pipeline, path: Path, budget: SolveBudget) {
    this.#pipeline = pipeline;
    this.#path = path;
    this.#budget = budget;
    this.#ends = new Ends(pipeline.chains);
  }

  node(space: Space, part: Part, under: string | undefined): Node {
    return { space, part, under, size: sizeOf(this.#pipeline.chains.dimensions, space, boxOf(space, { ...part, holes: [], rules: new Set() })), found: undefined };
  }

  /** Finds out about some packets of the part; false where the budget is at its end. */
  look(node: Node): boolean {
    const { space, part } = node;
    let best: { readonly claim: PartClaim; readonly trip: Trip } | undefined;
    for (const inputs of candidates(space, part)) {
      if (this.#budget.packets-- <= 0 || this.#budget.work <= 0) return false;
      const tried = this.#try(inputs, part);
      if (tried === undefined) continue;
      if (best === undefined || breadth(tried.claim) > breadth(best.claim)) best = tried;
    }
    if (best === undefined) return pointIn(space, part) === undefined;
    const { claim, trip } = best;
    const fate = fateOf(this.#pipeline, this.#ends, trip, this.#written(trip));
    const key = [fate.verdict, fate.with, ...fate.written].join(' ');
    const { holes, around } = restOf(part, claim);
    const below = (parts: readonly Part[], under: string | undefined): Node[] => parts.filter(one => pointIn(space, one) !== undefined).map(one => this.node(space, one, under));
    node.found = { claim, trip, fate, key, holes: below(holes, key), around: below(around, node.under) };
    return true;
  }

  #try(inputs: Classes, part: Part): { readonly claim: PartClaim; readonly trip: Trip } | undefined {
    try {
      const trip = follow(this.#pipeline, this.#path, { inputs, choices: part.choices });
      this.#budget.work -= trip.run.work;
      const claim = new Justifier(this.#pipeline, trip, part);
      const stop = stoppedAt(trip);
      if (stop !== undefined) this.#ends.stopped(claim, trip, stop);
      else {
        passes(claim, trip);
        for (const d of writable(this.#pipeline)) if (trip.leaving.of(d).stages !== 0) claim.cameFrom(trip.leaving, d);
      }
      return { claim: claim.finish(), trip };
    } catch (error) {
      if (error instanceof OutOfBudget) return undefined;
      throw error;
    }
  }

  /** Fields that rules have written. */
  #written({ leaving }: Trip): number[] {
    const own = this.#pipeline.ttlInputs[0];
    return writable(this.#pipeline).filter(d => {
      const { input } = leaving.of(d);
      return input !== d && (own < 0 || input !== own);
    });
  }

  tell(node: Node): Told {
    const { found, space } = node;
    if (found === undefined) throw new RangeError('nothing is known of this part');
    const { claim, trip, fate, key } = found;
    const holes = found.holes.flatMap(openHoles).map(({ lo, hi, choices }) => ({ sides: Array.from(lo, (low, i) => [i, low, hi[i] ?? 0] as const).filter(([i, low, high]) => low > (claim.lo[i] ?? 0) || high < (claim.hi[i] ?? 0)), choices: [...choices] }));
    const rules = [...claim.rules].sort((a, b) => a - b).flatMap(number => this.#pipeline.chains.rules[number] ?? []);
    return { key, space, trip, fate, isWhole: claim.holes.length === 0, rules, box: boxOf(space, { ...claim, holes }) };
  }

  word({ fate, rules, box, space, trip }: Told): FateClaim {
    const { dimensions } = this.#pipeline.chains;
    return { fate, rules, box, part: readable(dimensions, space, box, [[this.#pipeline, trip]]), size: sizeOf(dimensions, space, box) };
  }
}

/** The packets at two corners of a part and in its middle: one may tell more than the others. */
function candidates(space: Space, part: Part): Classes[] {
  const first = pointIn(space, part);
  if (first === undefined) return [];
  const isThere = (inputs: Classes): boolean => space.without.every(([input, not]) => inputs[input] !== not);
  const middle = part.lo.map((low, i) => (low + (part.hi[i] ?? 0)) >> 1);
  return [first, ...[part.hi, middle].filter(isThere)];
}

function breadth({ lo, hi, choices, holes }: PartClaim): number {
  let sum = -8 * choices.size - holes.length / 1024;
  for (let i = 0; i < lo.length; i++) sum += Math.log2((hi[i] ?? 0) - (lo[i] ?? 0) + 1);
  return sum;
}
