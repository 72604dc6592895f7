/** Whether packets can have a fate. */
import type { Constraint } from '../../packet/constraint.js';
import type { Decider } from '../answers.js';
import { deciderOf, inOrder, referenceTo } from './deciders.js';
import { fateGoal, sentOnGoal } from './goals.js';
import type { Pipeline, Trip } from './passes.js';
import type { Classes, Part } from './part.js';
import { partsOf } from './parts.js';
import { tryFollow, type Sighting } from './samples.js';
import { solve, solveBudget, type Goal, type SolveBudget, type Solved } from './solve.js';
import type { Path } from './stages.js';
import { ofHosts } from './strays.js';

/** Whether some packet of `packets` that comes along the path gets through it, or is dropped on it. */
export function fate(pipeline: Pipeline, path: Path, packets: Constraint, wanted: 'accept' | 'drop', budget: SolveBudget = solveBudget()): Solved {
  return solve(pipeline, fateGoal(path, wanted), partsOf(pipeline, path, packets), budget);
}

/** An answer for people: who, and whether it hangs on anything unknown. */
export type PathAnswer =
  | { readonly kind: 'yes'; readonly found: Sighting; readonly by: Decider | undefined; readonly certain: boolean }
  /** `by`: all that decide otherwise. */
  | { readonly kind: 'no'; readonly by: readonly Decider[] }
  | { readonly kind: 'undecided' };

/** As `fate`, and who decided. `first`: only of packets that nat is asked about, as the first of their connections. */
export function question(pipeline: Pipeline, path: Path, packets: Constraint, wanted: 'accept' | 'drop', budget: SolveBudget = solveBudget(), first = false): PathAnswer {
  return answer(pipeline, fateGoal(path, wanted), first ? firstOf(pipeline, path, packets) : partsOf(pipeline, path, packets), budget);
}

/** Whether some conversation between hosts can begin with one of these packets: whether one gets through that nat is asked about, and that its peer can answer. */
export function opens(pipeline: Pipeline, path: Path, packets: Constraint, budget: SolveBudget = solveBudget()): PathAnswer {
  return answer(pipeline, ofHosts(pipeline, 'reply', fateGoal(path, 'accept')), firstOf(pipeline, path, packets), budget);
}

function firstOf(pipeline: Pipeline, path: Path, packets: Constraint): readonly Part[] {
  return partsOf(pipeline, path, packets).filter(({ hi }) => hi[pipeline.natInput] === 0 && hi[pipeline.rawInput] === 0);
}

function answer(pipeline: Pipeline, goal: Goal, parts: readonly Part[], budget: SolveBudget): PathAnswer {
  const deciders = new Map<string, Decider>();
  const noting: Goal = {
    ...goal,
    miss: trip => {
      const reasons = goal.miss(trip);
      if (reasons !== undefined) for (const by of decidersIn(pipeline, trip)) deciders.set(referenceTo(by), by);
      return reasons;
    },
  };
  const solved = solve(pipeline, noting, parts, budget);
  switch (solved.kind) {
    case 'found': return { kind: 'yes', found: { ...solved, goal }, by: decidersIn(pipeline, solved.trip).at(0), certain: isCertain(pipeline, { ...solved, goal }) };
    case 'none': return { kind: 'no', by: inOrder(pipeline, deciders.values()) };
    case 'undecided': return solved;
  }
}

/** Who dropped a packet; of one that passed, who let it pass in table filter. */
function decidersIn(pipeline: Pipeline, trip: Trip): Decider[] {
  const stages = trip.run.stages.slice(0, trip.backFrom);
  const deciding = trip.dropped ? stages.filter(stage => stage.dropped).slice(0, 1) : stages.filter(({ stage }) => stage.table === 'filter');
  return deciding.flatMap(stage => deciderOf(pipeline, stage) ?? []);
}

/** More packets than this to follow, one for each way in which choices may fall, and it is called possible. */
const wayLimit = 128;

/** Remembers the choices that were asked about. */
class Asked extends Map<number, number> {
  readonly open = new Set<number>();

  override get(choice: number): number | undefined {
    if (!this.has(choice)) this.open.add(choice);
    return super.get(choice);
  }
}

/** Whether a goal holds of the packet whatever is unknown; but what is `given`, by name of the property, is as the sighting has it. */
export function isCertain(pipeline: Pipeline, { goal, trip }: Pick<Sighting, 'goal' | 'trip'>, given: (property: string) => boolean = () => false): boolean {
  return isCertainOf(pipeline, goal, trip.run.point.inputs, givenChoices(pipeline, trip, given));
}

/** A trip of the same packet of which the goal does not hold, as what is unknown may turn out as well; `none`: there is none; `unknown`: to look takes too long. */
export function contradiction(pipeline: Pipeline, { goal, trip }: Pick<Sighting, 'goal' | 'trip'>): Trip | 'none' | 'unknown' {
  return contradictionOf(pipeline, goal, trip.run.point.inputs, []);
}

/** Whether the packet is sent through to another destination whatever is unknown but what is `given`: to one or another, where rules leave that to chance. */
export function isCertainlySentOn(pipeline: Pipeline, { trip }: Sighting, given: (property: string) => boolean): boolean {
  return isCertainOf(pipeline, sentOnGoal(pipeline.chains), trip.run.point.inputs, givenChoices(pipeline, trip, given));
}

/** More ways than this in which nat may choose, and it is called possible. */
const natLimit = 256;

/** The same, whatever nat chooses where rules leave it a choice: an address of the host, a port of several. */
export function isCertainHowever(pipeline: Pipeline, { goal, trip }: Sighting): boolean {
  const { chains: { fieldCount }, backInputs, last } = pipeline;
  let ways: readonly Classes[] = [trip.run.point.inputs];
  for (const input of new Set(Array.from({ length: fieldCount }, (_, d) => trip.leaving.of(d).input).filter(one => one >= fieldCount && one < backInputs))) {
    const count = (last[input] ?? 0) + 1;
    if (ways.length * count > natLimit) return false;
    ways = ways.flatMap(way => Array.from({ length: count }, (_, value) => way.map((old, at) => at === input ? value : old)));
  }
  return ways.every(inputs => isCertainOf(pipeline, goal, inputs, []));
}

/** `known`: choices that are made already. */
function contradictionOf(pipeline: Pipeline, goal: Goal, inputs: Classes, known: readonly (readonly [number, number])[]): ReturnType<typeof contradiction> {
  const ways = [known];
  let followed = 0;
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    if (++followed > wayLimit) return 'unknown';
    const choices = new Asked(way);
    const tried = tryFollow(pipeline, goal, inputs, choices);
    const [open] = choices.open;
    if (open !== undefined) ways.push([...way, [open, 0]], [...way, [open, 1]]);
    else if (tried === undefined) return 'unknown';
    else if (goal.miss(tried) !== undefined) return tried;
  }
  return 'none';
}

function isCertainOf(pipeline: Pipeline, goal: Goal, inputs: Classes, known: readonly (readonly [number, number])[]): boolean {
  return contradictionOf(pipeline, goal, inputs, known) === 'none';
}

/** The choices of a trip about properties that are given. */
function givenChoices({ chains: { dimensions, fieldCount }, choices, forth }: Pipeline, { path, run }: Trip, given: (property: string) => boolean): readonly (readonly [number, number])[] {
  const epochs = new Set(forth[path].map(({ epoch }) => epoch));
  return dimensions.list.flatMap((one, d) => d < fieldCount || one.kind !== 'atom' || !given(one.name) ? [] : [...epochs].flatMap(epoch => {
    const choice = choices.atom(d, epoch, false);
    const value = run.point.choices.get(choice);
    return value === undefined ? [] : [[choice, value] as const];
  }));
}
