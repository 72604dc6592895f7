/** Whether answers to connections that one rule translates come by another rule. */
import type { Rule } from '../../model/ruleset.js';
import { always, ctstates, type Constraint } from '../../packet/constraint.js';
import { deciderOf } from './deciders.js';
import { firstPackets } from './first-packets.js';
import { droppedBy, missesRule, sawIn } from './goals.js';
import type { Pipeline, Trip } from './passes.js';
import { solve, solveBudget, type Goal, type Reason, type SolveBudget, type Solved } from './solve.js';
import type { Path } from './stages.js';
import { watchFor, type Watch } from './watch.js';

export interface TranslatedAnswerOptions {
  /** Of the first packets. */
  readonly path: Path;
  readonly packets?: Constraint;
  readonly budget?: SolveBudget;
}

/**
 * A connection whose first packet the rule `translation` of table nat takes and the host lets pass, and whose answer comes by `rule`. `none` is a
 * proof that there is no such connection.
 */
export function translatedAnswer(pipeline: Pipeline, translation: Rule, rule: Rule, { path, packets = always, budget = solveBudget() }: TranslatedAnswerOptions): Solved {
  const { chains } = pipeline;
  const [taker, watch] = [translation, rule].map(one => watchFor(chains, chains.numbers.get(one) ?? -1));
  if (taker === undefined || watch === undefined) return { kind: 'none', rules: new Set() };
  const goal: Goal = {
    path, watch, back: 'reply',
    miss: trip => {
      const end = trip.run.stages.length;
      const isNew = trip.state === ctstates.NEW;
      const isTaken = takes(pipeline, trip, translation);
      const seen = sawIn(trip, trip.backFrom, end);
      if (isNew && isTaken && seen && !trip.dropped) return undefined;
      return [
        ...droppedBy(trip, 0, trip.backFrom), ...isNew ? [] : [notNew(pipeline, trip)], ...isTaken ? [] : [avoids(pipeline, trip, taker)],
        ...seen ? [] : missesRule(trip, watch.leads, chains, trip.backFrom, end),
      ];
    },
  };
  return solve(pipeline, goal, firstPackets(pipeline, path, packets), budget);
}

/** What a rule of table nat matches it takes: it is the last that is asked. */
function takes(pipeline: Pipeline, { run, backFrom }: Trip, translation: Rule): boolean {
  return run.stages.slice(0, backFrom).some(one => {
    const by = one.stage.table === 'nat' ? deciderOf(pipeline, one) : undefined;
    return by !== undefined && 'rule' in by && by.rule === translation;
  });
}

function avoids({ chains }: Pipeline, { run, backFrom }: Trip, { leads }: Watch): Reason {
  return claim => {
    for (const [at, { stage }] of run.stages.slice(0, backFrom).entries()) {
      const base = chains.list[stage.chain];
      if (base !== undefined && leads(base).length > 0) claim.avoids(at, leads);
    }
  };
}

/** The packet is of no new connection. */
function notNew({ chains }: Pipeline, { leaving, state }: Trip): Reason {
  const dimension = chains.dimensions.fields.get('ctstate')?.[0] ?? 0;
  return claim => { claim.same(leaving, dimension, state, state); };
}
