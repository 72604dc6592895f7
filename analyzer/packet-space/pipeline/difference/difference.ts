/** What differs between two rule sets: every packet that they treat differently, or that there is none. */
import type { Ruleset } from '../../../model/ruleset.js';
import { always, type Constraint } from '../../../packet/constraint.js';
import type { PacketSample } from '../../answers.js';
import { sampleOf } from '../../sample.js';
import { referenceTo } from '../deciders.js';
import { isIn, joined, readable, sizeOf, type Box, type ReadableBox } from '../fates/box.js';
import { fateOf, type Fate } from '../fates/fate-words.js';
import { jointPipelines, type Joint } from '../joint.js';
import type { Pipeline } from '../passes.js';
import { preimages } from '../parts.js';
import { solveBudget, type SolveBudget } from '../solve.js';
import { paths, type Path, type Routing } from '../stages.js';
import { partings } from './neutral.js';
import { partsWithin, spacesOf, type Space } from './rest.js';
import { mergedModes, seenOf } from './modeless.js';
import { differingFields } from './same.js';
import { Search, type Found, type Question } from './search.js';
import { watchFor } from '../watch.js';

/** Packets that the two rule sets treat differently, all alike. */
export interface DifferenceCase {
  readonly path: Path;
  readonly part: ReadableBox;
  /** The part by inputs of the two pipelines, for each way in which the kernel may treat such packets. */
  readonly boxes: readonly Box[];
  /** What becomes of them under the one rule set, and under the other. */
  readonly a: Fate;
  readonly b: Fate;
  /** One of them, as a person would choose it. */
  readonly witness: PacketSample;
  /** It does not hang on anything unknown. */
  readonly certain: boolean;
  /** How many packets these are at most, as a power of two. */
  readonly size: number;
}

/** What differs between two rule sets. */
export type Difference =
  /** Whatever the unknown does, as long as the same words mean the same in both. `certain`: neither asks anything unknown. */
  | { readonly kind: 'equivalent'; readonly certain: boolean }
  /** `cases`: largest first. `complete`: there are no others. */
  | { readonly kind: 'different'; readonly cases: readonly DifferenceCase[]; readonly complete: boolean }
  /** No difference was found within the budget; `open` questions (about a rule, on a path) were not answered. */
  | { readonly kind: 'undecided'; readonly open: number };

/** Which packets two rule sets are compared for. */
export interface DifferenceOptions {
  /** Only these packets, as they come. */
  readonly packets?: Constraint;
  /** Only on this path. */
  readonly path?: Path;
  /** The host that both are for. */
  readonly routing?: Routing;
  /** Cases, at most. Default 20. */
  readonly limit?: number;
  readonly budget?: SolveBudget;
}

/** What one question may cost of the whole budget: packets. */
const share = 20_000;

/**
 * Compares two rule sets of one family. They are equivalent if every packet on every path has the same fate under both: accepted, dropped,
 * rejected in the same words, and with the same addresses, ports, marks and other fields in the end. Connections that are under
 * way are taken to be the same for both. Undefined where a rule set's jumps go in circles. Throws a RangeError for different families.
 */
export function difference(a: Ruleset, b: Ruleset, options: DifferenceOptions = {}): Difference | undefined {
  if (a.family !== b.family) throw new RangeError('rule sets of different families cannot be compared');
  const joint = jointPipelines(a, b, options.packets === undefined ? [] : [options.packets], options.routing);
  return joint === undefined ? undefined : differenceOf(joint, options);
}

/** As `difference`, of rule sets that are compiled together. */
export function differenceOf(joint: Joint, { packets = always, path, limit = 20, budget = solveBudget(400_000, 100_000_000) }: DifferenceOptions = {}): Difference {
  const search = new Search(joint, budget, 4 * limit);
  let open = 0;
  for (const question of questions(joint, packets, path)) if (search.isFull || !search.ask(question, share)) open++;
  if (search.found.length === 0) return open > 0 ? { kind: 'undecided', open } : { kind: 'equivalent', certain: !joint.sides.some(asksUnknown) };
  const all = casesOf(joint, search);
  return { kind: 'different', cases: all.slice(0, limit), complete: open === 0 && all.length <= limit };
}

function asksUnknown({ chains }: Pipeline): boolean {
  return chains.list.some(({ table, soft, atoms }) => table !== '' && (soft.includes(1) || atoms.some(one => one !== undefined)));
}

/** What must be asked: for each rule at which they may part, the packets that come to it; where policies differ, all packets. */
function* questions(joint: Joint, packets: Constraint, only: Path | undefined): Generator<Question, void> {
  const { sides, policies } = joint;
  const rules = ([0, 1] as const).map(side => partings(joint, side));
  for (const path of only === undefined ? paths : [only]) {
    const spaces = spacesOf(sides[0], path);
    const hasPolicy = sides[0].forth[path].some(({ table, hook }) => policies.includes(`${table} ${hook}`));
    for (const space of spaces) {
      const within = partsWithin(sides[0], space, packets);
      if (hasPolicy) yield { side: 0, path, space, watch: undefined, parts: within };
      else for (const side of [0, 1] as const) for (const number of rules[side] ?? []) yield* about(joint, { side, path, space, within }, number);
    }
  }
}

interface Where extends Pick<Question, 'side' | 'path' | 'space'> {
  readonly within: Question['parts'];
}

function* about({ sides }: Joint, { within, ...where }: Where, number: number): Generator<Question, void> {
  const { forth, chains } = sides[where.side];
  const chain = chains.chainOf[number] ?? -1;
  const stages = forth[where.path].flatMap((stage, at) => chains.below(stage.chain).has(chain) ? [at] : []);
  const watch = stages.length === 0 ? undefined : watchFor(chains, number);
  if (watch === undefined) return;
  // Pre-images are those of packets that nat is asked about when they are NEW; of others, all are looked at.
  const isUsual = where.space.whole.hi[sides[where.side].natInput] === 0;
  const parts = isUsual ? stages.flatMap(at => [...preimages(sides[where.side], where.path, number, at, within)]) : within;
  if (parts.length > 0) yield { ...where, watch, parts };
}

function casesOf(joint: Joint, search: Search): readonly DifferenceCase[] {
  const { dimensions } = joint.sides[0].chains;
  const told = search.found.map(found => ({ ...found, ...fatesOf(joint, search, found) }));
  const isLike = (x: typeof told[number], y: typeof told[number]): boolean => x.path === y.path && sameWords(x.a, y.a) && sameWords(x.b, y.b);
  const sized = joined(told, isLike).map(one => ({ ...one, seen: seenOf(joint.sides[0], one.box), boxes: [one.box] }))
    .sort((x, y) => sizeOf(dimensions, y.space, y.seen) - sizeOf(dimensions, x.space, x.seen));
  return mergedModes(sized, isLike).map((one): DifferenceCase => {
    const part = readable(dimensions, one.space, one.seen, [[joint.sides[0], one.trips[0]], [joint.sides[1], one.trips[1]]]);
    const certain = part.given.length === 0 && one.seen.holes.every(hole => hole.choices.length === 0);
    return { path: one.path, part, boxes: one.boxes, a: one.a, b: one.b, witness: witnessOf(joint, one), certain, size: sizeOf(dimensions, one.space, one.seen) };
  }).sort((x, y) => y.size - x.size);
}

function fatesOf(joint: Joint, search: Search, { path, trips }: Found): { readonly a: Fate; readonly b: Fate } {
  const fields = differingFields({ joint, ends: search.ends, path, trips });
  const both = trips.every(trip => !trip.dropped) ? fields : [];
  return { a: fateOf(joint.sides[0], search.ends[0], trips[0], both), b: fateOf(joint.sides[1], search.ends[1], trips[1], both) };
}

function sameWords(x: Fate, y: Fate): boolean {
  return x.verdict === y.verdict && x.with === y.with && x.written.join() === y.written.join() && decider(x) === decider(y);
}

function decider({ by }: Fate): string {
  return by === undefined ? '' : referenceTo(by);
}

/** A packet of the box that a person would choose. */
function witnessOf({ sides: [{ chains: { dimensions, fieldCount }, choices }] }: Joint, { box, trips, space }: Found): PacketSample {
  const { inputs, choices: made } = trips[0].run.point;
  const size = dimensions.list.length;
  const value = (d: number): number => d < fieldCount ? inputs[d] ?? 0 : made.get(choices.atom(d, 0, false)) ?? 0;
  const point = Int32Array.from({ length: size }, (_, d) => value(d));
  const side = (own: Space['hull']['lo']): Int32Array => point.map((at, d) => d < fieldCount ? own[d] ?? 0 : at);
  const accepts = (candidate: Int32Array): boolean => space.without.every(([input, not]) => candidate[input] !== not) && isIn(box, inputs.map((at, i) => i < fieldCount ? candidate[i] ?? 0 : at), made);
  return sampleOf({ dimensions }, { point, region: { lo: side(space.hull.lo), hi: side(space.hull.hi) } }, accepts);
}
