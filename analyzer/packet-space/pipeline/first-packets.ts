/** The first packets of connections: those that nat is asked about. */
import type { Rule } from '../../model/ruleset.js';
import { all, always, ctstates, is, type Constraint } from '../../packet/constraint.js';
import type { RuleAt } from '../answers.js';
import type { Part } from './part.js';
import { reachGoal } from './goals.js';
import type { Pipeline } from './passes.js';
import { allPreimages, partsOf } from './parts.js';
import { solve, solveBudget, type SolveBudget } from './solve.js';
import { paths, type Path } from './stages.js';
import { watchFor } from './watch.js';

/** Those of `packets`, as they come along a path. */
export function firstPackets(pipeline: Pipeline, path: Path, packets: Constraint): readonly Part[] {
  return partsOf(pipeline, path, all([packets, is('ctstate', ctstates.NEW)])).filter(({ lo }) => (lo[pipeline.natInput] ?? 0) === 0);
}

export interface KeptAwayOptions {
  /** Only these packets, as they come. */
  readonly packets?: Constraint;
  readonly budget?: SolveBudget;
}

/**
 * Whether the rules `by` alone keep every first packet of a connection from a rule, whatever other rules are there or not. Undefined where they do not, or
 * it takes too long to say; else those of them that the proof needs, none where the kernel itself lets no such packet come.
 */
export function keptAway(pipeline: Pipeline, rule: Rule, by: readonly Rule[], { packets = always, budget = solveBudget() }: KeptAwayOptions = {}): readonly RuleAt[] | undefined {
  const { chains } = pipeline;
  const number = chains.numbers.get(rule) ?? -1;
  const watch = watchFor(chains, number);
  if (watch === undefined) return undefined;
  const only = new Set(by.flatMap(one => chains.numbers.get(one) ?? []));
  const used = new Set<number>();
  for (const path of paths) {
    const solved = solve(pipeline, { ...reachGoal(chains, path, watch), only }, allPreimages(pipeline, path, number, firstPackets(pipeline, path, packets)), budget);
    if (solved.kind !== 'none') return undefined;
    for (const one of solved.rules) if (only.has(one)) used.add(one);
  }
  return [...used].sort((a, b) => a - b).flatMap(one => chains.rules[one] ?? []);
}
