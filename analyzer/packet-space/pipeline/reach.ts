/** Which rules packets can come to at all, on all their ways. */
import type { Rule } from '../../model/ruleset.js';
import { always, type Constraint } from '../../packet/constraint.js';
import type { RuleAt } from '../answers.js';
import { reachGoal, watchFor } from './goals.js';
import type { Pipeline } from './passes.js';
import { allPreimages, partsOf } from './parts.js';
import type { Sighting } from './samples.js';
import { solve, solveBudget, type SolveBudget } from './solve.js';
import { paths, type Path } from './stages.js';

/** Whether a packet can match a rule on its way through the tables. */
export type Passage =
  | { readonly kind: 'live'; readonly path: Path; readonly found: Sighting }
  /** No packet can: `by` are the rules that the proof rests on, in the order of the tables. */
  | { readonly kind: 'dead'; readonly by: readonly RuleAt[] }
  | { readonly kind: 'undecided' };

export interface ReachOptions {
  /** Only these packets, as they come. */
  readonly packets?: Constraint;
  readonly path?: Path;
  readonly budget?: SolveBudget;
}

/** Whether some packet matches a rule, having passed what stands before it on any path (or the given one). */
export function reachThrough(pipeline: Pipeline, rule: Rule, { packets = always, path, budget = solveBudget() }: ReachOptions = {}): Passage {
  const { chains } = pipeline;
  const number = chains.numbers.get(rule) ?? -1;
  const watch = watchFor(chains, number);
  if (watch === undefined) return { kind: 'dead', by: [] };
  const rules = new Set<number>();
  let open = false;
  for (const way of path === undefined ? paths : [path]) {
    const goal = reachGoal(chains, way, watch);
    const solved = solve(pipeline, goal, allPreimages(pipeline, way, number, partsOf(pipeline, way, packets)), budget);
    if (solved.kind === 'found') return { kind: 'live', path: way, found: solved };
    if (solved.kind === 'undecided') open = true;
    else for (const one of solved.rules) rules.add(one);
  }
  if (open) return { kind: 'undecided' };
  return { kind: 'dead', by: [...rules].sort((a, b) => a - b).flatMap(one => chains.rules[one] ?? []) };
}
