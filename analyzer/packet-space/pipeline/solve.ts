/**
 * Searches a part of all inputs for a packet that a goal holds of, or proves that there is none: follows one packet; where it fails,
 * puts aside all for which the same reasons hold, and goes on with the rest.
 */
import { dimensionOf } from '../dimensions.js';
import { impossibleAround } from '../tracked-states.js';
import { Justifier, type FreshClaim } from './claim.js';
import { writtenAtOnce } from './gaps.js';
import { Learned } from './learned.js';
import { contains, inside, outside, type Classes, type Part } from './part.js';
import { follow, lookupLimit, type Pipeline, type Trip } from './passes.js';
import { OutOfBudget, type Point } from './run.js';
import type { Path } from './stages.js';
import type { Back } from './turn.js';
import type { Watch } from './watch.js';

/** Packets followed, and boxes looked up: together what an answer may cost. */
export interface SolveBudget {
  packets: number;
  work: number;
}

/** A budget for one question: packets that may be followed, and rules that may be looked up on their way. What is left open when it ends is undecided. */
export function solveBudget(packets = 5_000, work = 2_000_000): SolveBudget {
  return { packets, work };
}

/** A reason why a trip is not what is looked for. */
export type Reason = (claim: Justifier) => void;

/** What is looked for. */
export interface Goal {
  readonly path: Path;
  readonly watch: Watch | undefined;
  readonly back: Back | undefined;
  /** Any rule but these may or may not be there. */
  readonly only?: ReadonlySet<number>;
  /** Undefined where the trip is what is looked for; else reasons why not, of which any one will do. */
  readonly miss: (trip: Trip) => readonly Reason[] | undefined;
  /** Packets that need not be gone into, this one among them. */
  readonly over?: (point: Point) => Part | undefined;
  /** Whether it is known without a packet that a part need not be gone into. */
  readonly isDone?: (part: Part) => boolean;
}

/** A packet that is what was looked for, the proof that there is none, or neither. */
export type Solved =
  | { readonly kind: 'found'; readonly goal: Goal; readonly trip: Trip; readonly part: Part }
  /** `rules`: numbers of the rules that decided. */
  | { readonly kind: 'none'; readonly rules: ReadonlySet<number> }
  | { readonly kind: 'undecided' };

interface Task {
  readonly part: Part;
  /** Only what of it lies in its holes, those that are left. */
  readonly holes?: FreshClaim['fromLast'];
  /** All that it was cut into lies above it on the stack. */
  readonly isDone: boolean;
}

const remembered = 128;

/** Something else to try once so many packets were followed in vain. */
export interface Otherwise {
  readonly after: number;
  readonly attempt: () => Extract<Solved, { kind: 'found' }> | undefined;
}

interface Search {
  readonly pipeline: Pipeline;
  readonly goal: Goal;
  readonly budget: SolveBudget;
  readonly rules: Set<number>;
  readonly learned: Learned;
  /** With `at` packets left it is tried. */
  readonly otherwise: (Otherwise & { readonly at: number }) | undefined;
}

type Found = Extract<Solved, { kind: 'found' }>;

/** Asks part after part. */
export function solve(pipeline: Pipeline, goal: Goal, parts: Iterable<Part>, budget: SolveBudget, otherwise?: Otherwise): Solved {
  return solutions(pipeline, goal, parts, budget, otherwise).next().value;
}

/** One packet after the other that is what is looked for. Before the next is asked for, the goal has to have changed, so that it is that no more. */
export function* solutions(pipeline: Pipeline, goal: Goal, parts: Iterable<Part>, budget: SolveBudget, otherwise?: Otherwise): Generator<Found, Exclude<Solved, Found>, void> {
  const search: Search = { pipeline, goal, budget, rules: new Set<number>(), learned: new Learned(), otherwise: otherwise === undefined ? undefined : { ...otherwise, at: budget.packets - otherwise.after } };
  for (const part of parts) {
    if (yield* solvePart(search, part)) continue;
    const tried = budget.packets >= (search.otherwise?.at ?? Infinity) ? search.otherwise?.attempt() : undefined;
    if (tried !== undefined) yield tried;
    return { kind: 'undecided' };
  }
  return { kind: 'none', rules: search.rules };
}

/** False where the budget ended. */
function* solvePart(search: Search, start: Part): Generator<Found, boolean, void> {
  const { pipeline, goal, budget, rules, learned, otherwise } = search;
  const stack: Task[] = [{ part: start, isDone: false }];
  const proven: Part[] = [];
  for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
    const part = partOf(task, stack, budget);
    if (part === undefined) continue;
    if (task.isDone) {
      if (proven.length === remembered) proven.shift();
      proven.push(part);
      continue;
    }
    if (goal.isDone?.(part) === true || proven.some(one => contains(one, part))) continue;
    const known = learned.about(part);
    if (known !== undefined) {
      for (const rule of known.rules) rules.add(rule);
      continue;
    }
    const tried = budget.packets === otherwise?.at ? otherwise.attempt() : undefined;
    if (tried !== undefined) yield tried;
    const inputs = likelyPoint(pipeline, part);
    const over = goal.over?.({ inputs, choices: part.choices }) ?? impossibleOf(pipeline, inputs, part);
    if (over !== undefined) {
      for (const one of outside(part, over)) stack.push({ part: one, isDone: false });
      continue;
    }
    if (budget.packets-- <= 0 || budget.work <= 0) return false;
    const trip = tryFollow(pipeline, goal, part, inputs, budget.work);
    if (trip === undefined) {
      budget.work -= Math.min(budget.work, lookupLimit);
      return false;
    }
    budget.work -= trip.run.work;
    const reasons = goal.miss(trip);
    if (reasons === undefined) {
      stack.push({ part, isDone: false });
      yield { kind: 'found', goal, trip, part };
      continue;
    }
    const claim = best(pipeline, trip, part, reasons);
    budget.work -= trip.run.work;
    for (const rule of claim.rules) rules.add(rule);
    const rest = outside(part, claim);
    if (rest.length === 0 && !claim.hasMany && claim.holeCount === 0 && part !== start && learned.isTime()) {
      learned.add(best(pipeline, trip, allLike(pipeline, goal.path, start), reasons));
      budget.work -= trip.run.work;
    }
    if (claim.hasMany || rest.length + claim.holeCount > 1) stack.push({ part, isDone: true });
    for (const one of rest) stack.push({ part: one, isDone: false });
    if (claim.hasMany || claim.holeCount > 0) stack.push({ part: claim, holes: claim.fromLast, isDone: false });
  }
  return true;
}

/** All packets of a path with which the kernel does the same as with those of a part, where it may do otherwise with packets that look alike. */
function allLike({ chains, last, natInput, rawInput, modes }: Pipeline, path: Path, { lo, hi, choices }: Part): Part {
  const own = (input: number): readonly [number, number] => [lo[input] ?? 0, hi[input] ?? 0];
  const state = dimensionOf(chains.dimensions, 'ctstate');
  const [low, high] = own(state);
  const mode = modes[path].find(({ nat, raw, states: [from, to] }) => nat === lo[natInput] && raw === lo[rawInput] && from <= low && to >= high);
  const whole = { lo: last.map(() => 0), hi: last.slice(), choices };
  const keep = (input: number, [from, to]: readonly [number, number]): void => { [whole.lo[input], whole.hi[input]] = [from, to]; };
  keep(natInput, own(natInput));
  keep(rawInput, own(rawInput));
  keep(state, mode?.states ?? [low, high]);
  return whole;
}

/** A packet of the part as people send it, where there is one: what is looked for is mostly found with the first. */
export function likelyPoint({ likely }: Pipeline, { lo, hi }: Part): number[] {
  const point = lo.slice();
  for (const [input, classes] of likely) {
    const [low, high] = [lo[input] ?? 0, hi[input] ?? 0];
    if (low === high) continue;
    for (const one of classes) {
      if (one < low || one > high) continue;
      point[input] = one;
      break;
    }
  }
  return point;
}

/** Packets that there cannot be: none of them is an answer. */
function impossibleOf({ chains: { dimensions: { tracked } } }: Pipeline, inputs: Classes, part: Part): Part | undefined {
  const sides = impossibleAround(tracked, inputs, part);
  return sides === undefined ? undefined : inside(part, { sides, choices: [] });
}

/** What a task is about; of holes, the next one, and the others wait. */
function partOf(task: Task, stack: Task[], budget: SolveBudget): Part | undefined {
  const { part, holes } = task;
  const next = holes?.next();
  if (next === undefined) return part;
  if (next.done === true) return undefined;
  budget.work--;
  stack.push(task);
  return inside(part, next.value);
}

/** Follows a packet of a part; undefined where it meets too much. `lookups`: so many boxes may be looked up. */
export function tryFollow(pipeline: Pipeline, goal: Goal, part: Part, inputs: Classes, lookups?: number): Trip | undefined {
  try {
    const { watch, back, only } = goal;
    return follow(pipeline, goal.path, { inputs, choices: part.choices }, { watch, back, only, lookups });
  } catch (error) {
    if (error instanceof OutOfBudget) return undefined;
    throw error;
  }
}

/** A claim, and what it is worth. */
class Candidate {
  readonly claim: FreshClaim;
  readonly #size: number;
  /** It is worth no more than this. */
  readonly most: number;
  #worth: number | undefined;

  constructor(claim: FreshClaim, size: number) {
    this.claim = claim;
    this.#size = size;
    this.most = size - cost(claim.hasMany ? writtenAtOnce : claim.holeCount);
  }

  /** To count many holes takes time: it is done where it matters. */
  get worth(): number {
    return this.#worth ??= this.#size - cost(this.claim.holeCount);
  }

  isWorth(least: number): boolean {
    return this.most >= least && this.worth >= least;
  }
}

/** The reason that puts most aside, and leaves the fewest holes. */
function best(pipeline: Pipeline, trip: Trip, part: Part, reasons: readonly Reason[]): FreshClaim {
  let found: Candidate | undefined;
  for (const reason of reasons) {
    const justifier = new Justifier(pipeline, trip, part);
    reason(justifier);
    if (reasons.length === 1) return justifier.finish();
    // A box that is no better than what was found, even without a hole, need not be gone into.
    if (found?.isWorth(justifier.size()) === true) continue;
    const next = new Candidate(justifier.finish(), justifier.size());
    if (found === undefined || !(found.isWorth(next.most) || found.isWorth(next.worth))) found = next;
  }
  if (found === undefined) throw new RangeError('a trip that fails for no reason');
  return found.claim;
}

/** How many halvings of the box a doubling of its holes is worth. */
const holeCost = 3;

function cost(holes: number): number {
  return holeCost * Math.log2(1 + holes);
}
