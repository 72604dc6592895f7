/** Which rules packets can come to at all, on all their ways. */
import type { Rule } from '../../model/ruleset.js';
import { all, always, ctstates, is, type Constraint } from '../../packet/constraint.js';
import type { PacketSample, RuleAt } from '../answers.js';
import { blockersOf } from './blocked.js';
import { passGoal, reachGoal } from './goals.js';
import { tryHint } from './hints.js';
import type { Part } from './part.js';
import type { Pipeline } from './passes.js';
import { allPreimages, partsOf } from './parts.js';
import type { Sighting } from './samples.js';
import { solve, solveBudget, type Goal, type SolveBudget, type Solved } from './solve.js';
import { paths, type Path } from './stages.js';
import { ofHosts } from './strays.js';
import { watchFor, type Watch } from './watch.js';

/** Whether a packet can match a rule on its way through the tables. */
export type Passage =
  | { readonly kind: 'live'; readonly path: Path; readonly found: Sighting }
  /** No packet can: `by` are the rules that the proof rests on, in the order of the tables. */
  | { readonly kind: 'dead'; readonly by: readonly RuleAt[] }
  | { readonly kind: 'undecided' };

/** Of which packets it is asked whether they come to a rule. */
export interface ReachOptions {
  /** Only these packets, as they come. */
  readonly packets?: Constraint;
  readonly path?: Path;
  /** Only packets with which conversations between hosts can begin: NEW, and nat is asked about them. */
  readonly first?: boolean;
  /** It is to get to the end of its path as well. */
  readonly passes?: boolean;
  readonly budget?: SolveBudget;
  /** Likely such a packet, as it comes: it is tried before a long search. */
  readonly hint?: () => PacketSample;
}

/** Whether some packet matches a rule, having passed what stands before it on any path (or the given one). */
export function reachThrough(pipeline: Pipeline, rule: Rule, { packets = always, path, first = false, passes = false, budget = solveBudget(), hint }: ReachOptions = {}): Passage {
  const { rules } = pipeline.chains;
  const found = search(pipeline, rule, { packets, paths: path === undefined ? paths : [path], budget, only: undefined, first, passes, hint });
  return found.kind === 'none' ? { kind: 'dead', by: [...found.rules].sort((a, b) => a - b).flatMap(one => rules[one] ?? []) } : found;
}

/** The rules of a proof that no packet matches a rule, if `only` these rules are certain to be there; undefined where it does not hold, or takes too long. */
export function proveDead(pipeline: Pipeline, rule: Rule, only: ReadonlySet<number>, budget: SolveBudget): ReadonlySet<number> | undefined {
  const found = search(pipeline, rule, { packets: always, paths, budget, only, first: false, passes: false, hint: undefined });
  // A rule that may or may not be there is met where it is; the proof does without.
  return found.kind === 'none' ? new Set([...found.rules].filter(one => only.has(one))) : undefined;
}

interface Search {
  readonly packets: Constraint;
  readonly paths: readonly Path[];
  readonly budget: SolveBudget;
  readonly only: ReadonlySet<number> | undefined;
  readonly first: boolean;
  readonly passes: boolean;
  readonly hint: (() => PacketSample) | undefined;
}

const isNew = is('ctstate', ctstates.NEW);

const known = new WeakMap<Pipeline, WeakMap<Constraint, Map<string, readonly Part[]>>>();

/** Where to look; the same packets may be asked about for many rules. */
function partsIn(pipeline: Pipeline, path: Path, { packets, first }: Search): readonly Part[] {
  let mine = known.get(pipeline);
  if (mine === undefined) known.set(pipeline, mine = new WeakMap<Constraint, Map<string, readonly Part[]>>());
  let answers = mine.get(packets);
  if (answers === undefined) mine.set(packets, answers = new Map<string, readonly Part[]>());
  const key = first ? `first ${path}` : path;
  let parts = answers.get(key);
  if (parts === undefined) answers.set(key, parts = first ? firstPartsOf(pipeline, path, packets) : partsOf(pipeline, path, packets));
  return parts;
}

function firstPartsOf(pipeline: Pipeline, path: Path, packets: Constraint): readonly Part[] {
  return partsOf(pipeline, path, all([packets, isNew])).filter(({ hi }) => hi[pipeline.natInput] === 0 && hi[pipeline.rawInput] === 0);
}

/** A hint is tried in so many places, after so many packets of each path were followed in vain. */
const hintLimit = 4;
const hintAfter = 24;

function* atMost<T>(some: Iterable<T>, limit: number): Generator<T, void> {
  let left = limit;
  for (const one of some) {
    if (left-- <= 0) return;
    yield one;
  }
}

/** Whether rules of a table in which the rule is met on a path ask for what others of them write. */
function isStrictAt({ forth, chains }: Pipeline, path: Path, { chain }: Watch): boolean {
  return forth[path].some(stage => stage.strict && chains.below(stage.chain).has(chain));
}

function search(pipeline: Pipeline, rule: Rule, asked: Search): Exclude<Passage, { kind: 'dead' }> | { readonly kind: 'none'; readonly rules: ReadonlySet<number> } {
  const { chains } = pipeline;
  const { paths: ways, budget, only, hint } = asked;
  const goalOf = (path: Path, watched: Watch): Goal => {
    const goal = (asked.passes ? passGoal : reachGoal)(chains, path, watched);
    return asked.first ? ofHosts(pipeline, 'reply', goal) : goal;
  };
  const number = chains.numbers.get(rule) ?? -1;
  const watch = watchFor(chains, number);
  const rules = new Set<number>();
  if (watch === undefined) return { kind: 'none', rules };
  const look = (path: Path, own: SolveBudget): Solved => {
    const goal = { ...goalOf(path, watch), ...only === undefined ? {} : { only } };
    const solved = solve(pipeline, goal, allPreimages(pipeline, path, number, partsIn(pipeline, path, asked)), own);
    if (solved.kind === 'none') for (const one of solved.rules) rules.add(one);
    return solved;
  };
  // Where rules ask for what rules before them write, a search would go through all that may have been written.
  const blockers = (): ReadonlySet<number> | undefined => ways.some(path => isStrictAt(pipeline, path, watch)) ? blockersOf(chains, watch, only, budget) : undefined;
  let open = [...ways];
  if (hint === undefined) {
    const by = blockers();
    if (by !== undefined) return { kind: 'none', rules: by };
  } else {
    for (const path of ways) {
      const first = solveBudget(Math.min(hintAfter, budget.packets), budget.work);
      const solved = look(path, first);
      budget.work = first.work;
      if (solved.kind === 'found') return { kind: 'live', path, found: solved };
      if (solved.kind === 'none') open = open.filter(one => one !== path);
    }
    const by = open.length > 0 ? blockers() : undefined;
    if (by !== undefined) return { kind: 'none', rules: by };
    for (const path of open) {
      const found = tryHint(pipeline, goalOf(path, watch), atMost(allPreimages(pipeline, path, number, partsIn(pipeline, path, asked)), hintLimit), hint());
      if (found !== undefined) return { kind: 'live', path, found };
    }
  }
  let isOpen = false;
  for (const path of open) {
    const solved = look(path, budget);
    if (solved.kind === 'found') return { kind: 'live', path, found: solved };
    isOpen ||= solved.kind === 'undecided';
  }
  return isOpen ? { kind: 'undecided' } : { kind: 'none', rules };
}
