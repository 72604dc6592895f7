/** What becomes of connections whose first packet a rule matches, on their way behind it. */
import type { Rule } from '../../model/ruleset.js';
import { always, type Constraint } from '../../packet/constraint.js';
import type { Decider } from '../answers.js';
import { deciderOf, inOrder, referenceTo } from './deciders.js';
import { firstPackets } from './first-packets.js';
import { acceptsAll, droppedBy, missesRule, sawIn } from './goals.js';
import type { Pipeline, Trip } from './passes.js';
import { allPreimages } from './parts.js';
import type { Sighting } from './samples.js';
import { solve, solveBudget, type Goal, type Reason, type SolveBudget } from './solve.js';
import type { Path } from './stages.js';
import { watchFor } from './watch.js';

/** Whether any first packet of a connection that a rule matches gets to the end of its path. */
export type Onward =
  | { readonly kind: 'passes'; readonly found: Sighting }
  /** None does. `by`: all rules and policies at which they end. */
  | { readonly kind: 'lost'; readonly dies: Sighting; readonly by: readonly Decider[] }
  /** The rule matches no first packet on this path. */
  | { readonly kind: 'unreached' }
  | { readonly kind: 'undecided' };

export interface OnwardOptions {
  readonly path: Path;
  /** Only these packets, as they come. */
  readonly packets?: Constraint;
  readonly budget?: SolveBudget;
}

/** Whether a packet that opens a connection and matches `rule` on the path is let through by all that stands behind it, and before. */
export function onward(pipeline: Pipeline, rule: Rule, { path, packets = always, budget = solveBudget() }: OnwardOptions): Onward {
  const { chains } = pipeline;
  const number = chains.numbers.get(rule) ?? -1;
  const watch = watchFor(chains, number);
  if (watch === undefined) return { kind: 'unreached' };
  const first = firstPackets(pipeline, path, packets);
  const killers = new Map<string, Decider>();
  const goal = (wanted: 'passes' | 'dies'): Goal => ({
    path, watch, back: undefined,
    miss: trip => {
      const end = trip.backFrom;
      const seen = sawIn(trip, 0, end);
      if (seen && !trip.isElsewhere && trip.dropped) for (const by of killersOf(pipeline, trip)) killers.set(referenceTo(by), by);
      if (seen && !trip.isElsewhere && trip.dropped === (wanted === 'dies')) return undefined;
      return [
        ...trip.isElsewhere ? wrongWay(trip) : wanted === 'passes' ? droppedBy(trip, 0, end) : trip.dropped ? [] : [acceptsAll(trip, 0, end)],
        ...seen ? [] : missesRule(trip, watch.leads, chains, 0, end),
      ];
    },
  });
  const ask = (wanted: 'passes' | 'dies'): ReturnType<typeof solve> => solve(pipeline, goal(wanted), allPreimages(pipeline, path, number, first), budget);
  const passes = ask('passes');
  if (passes.kind === 'found') return { kind: 'passes', found: passes };
  const dies = passes.kind === 'none' ? ask('dies') : passes;
  if (dies.kind === 'undecided') return dies;
  return dies.kind === 'none' ? { kind: 'unreached' } : { kind: 'lost', dies, by: inOrder(pipeline, killers.values()) };
}

/** Routing sends it on another path. */
function wrongWay({ run }: Trip): readonly Reason[] {
  return run.drops.filter(at => run.stages[at]?.stage.table === 'routing').map(at => claim => { claim.verdict(at); });
}

/** Who dropped it first. */
function killersOf(pipeline: Pipeline, { run }: Trip): readonly Decider[] {
  const stage = run.stages[run.drops[0] ?? -1];
  return stage === undefined ? [] : [deciderOf(pipeline, stage)].flatMap(one => one ?? []);
}
