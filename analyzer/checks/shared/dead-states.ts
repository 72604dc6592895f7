/** Rules that wait for packets of connections under way, and to which none ever comes. */
import type { Rule } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { reachWith } from '../../packet-space/index.js';
import { Patience } from '../../packet-space/patience.js';
import { stateReach, takersUnderWay } from '../../packet-space/pipeline/index.js';
import { solveBudget } from '../../packet-space/pipeline/solve.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { ctstates, not, oneOf } from '../../packet/constraint.js';
import type { CheckContext } from '../define-check.js';
import { meet, rangesOf } from './asked.js';
import { asksForState } from './state-asked.js';

const underWay = oneOf('ctstate', [ctstates.ESTABLISHED, ctstates.RELATED]);
const others = not(underWay);
const waited = rangesOf(underWay, 'ctstate');

/** `by`: the rules before it that take all such packets; empty where there are none, whatever stands before it, and undefined where that is left open. */
export interface DeadState {
  readonly at: RuleAt;
  readonly by: readonly RuleAt[] | undefined;
}

const known = new WeakMap<CheckContext, ReadonlyMap<Rule, DeadState>>();

/** By rule of table filter. */
export function deadStates(cx: CheckContext): ReadonlyMap<Rule, DeadState> {
  let found = known.get(cx);
  if (found === undefined) known.set(cx, found = new Map(findDead(cx)));
  return found;
}

function* findDead(cx: CheckContext): Generator<[Rule, DeadState], void> {
  const table = cx.ruleset.tables.get('filter');
  if (table === undefined) return;
  const constraints = constraintsOf(cx.ruleset, table.name);
  const patience = new Patience();
  for (const at of cx.rules(table)) {
    const asked = constraints.of(at.rule);
    if (!asksForState(asked) || cx.reach(table).get(at.rule)?.kind !== 'live') continue;
    // Whatever comes to a rule for NEW packets is NEW.
    if (!meet(rangesOf(asked, 'ctstate'), waited)) continue;
    if (reachWith(cx.space(), table, at, others).kind === 'live') continue;
    const pipeline = cx.pipeline();
    if (pipeline === undefined) return;
    const answer = patience.ask(solveBudget(), budget => stateReach(pipeline, at.rule, budget));
    if (answer.kind === 'undecided') cx.undecided();
    if (answer.kind !== 'dead') continue;
    const by = patience.ask(solveBudget(), budget => takersUnderWay(pipeline, at.rule, answer.by, budget));
    if (by === undefined) cx.undecided();
    yield [at.rule, { at, by }];
  }
}
