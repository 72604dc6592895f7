/** Rules that wait for packets of connections under way, and to which none ever comes. */
import type { Rule, Ruleset, Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import type { Hook } from '../../extensions/define.js';
import { reachWith } from '../../packet-space/index.js';
import { Patience } from '../../packet-space/patience.js';
import { stateReach, takersUnderWay } from '../../packet-space/pipeline/index.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import { solveBudget } from '../../packet-space/pipeline/solve.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { ctstates, not, oneOf } from '../../packet/constraint.js';
import type { CheckContext } from '../define-check.js';
import { meet, rangesOf } from './asked.js';
import { isToBeFilled } from './owners.js';
import { asksForState } from './state-asked.js';

const underWay = oneOf('ctstate', [ctstates.ESTABLISHED, ctstates.RELATED]);
const others = not(underWay);
const waited = rangesOf(underWay, 'ctstate');

/** `by`: the rules before it that take all such packets; empty where there are none, whatever stands before it, and undefined where that is left open, or hangs on what a program is yet to do. */
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
  const unfinished = unfinishedHooks(cx.ruleset, table);
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
    yield [at.rule, { at, by: by?.length === 0 && waysOf(table, at).some(hook => unfinished.has(hook)) ? undefined : by }];
  }
}

/** What comes in answers what goes out, and the other way round. */
const sides: Readonly<Partial<Record<Hook, readonly Hook[]>>> = { INPUT: ['INPUT', 'OUTPUT'], OUTPUT: ['INPUT', 'OUTPUT'], FORWARD: ['FORWARD'] };

/** Where a connection begins of which the rule sees packets. */
function waysOf(table: Table, { chain }: RuleAt): readonly Hook[] {
  return (hooksOf(table).get(chain) ?? []).flatMap(hook => sides[hook] ?? []);
}

/** The hooks at which there is a chain that a program fills when it runs, as neutron does for each machine. */
function unfinishedHooks(ruleset: Ruleset, table: Table): ReadonlySet<Hook> {
  const hooks = hooksOf(table);
  return new Set([...table.chains.values()].filter(chain => isToBeFilled(ruleset, chain)).flatMap(({ name }) => hooks.get(name) ?? []));
}
