/** What a router says of packets that are too large for the next link, and that never gets out. */
import type { Ruleset } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { reachWith } from '../../packet-space/index.js';
import { opens, question } from '../../packet-space/pipeline/index.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, ctstates, is, not, type Constraint } from '../../packet/constraint.js';
import type { CheckContext } from '../define-check.js';
import { tooBig } from './lost-errors.js';
import { fromOutside } from './outside.js';
import { notLoopback } from './replies.js';
import { isRouter } from './routers.js';
import { asksForState } from './state-asked.js';
import { firstTo } from './strangers.js';
import { effectOf } from './targets.js';

/** First packets of what may pass. */
function passing(): Constraint {
  return all([firstTo('tcp'), is('ctstate', ctstates.NEW), is('fragment', 0)]);
}

/** It belongs to the connection whose packet was dropped. @see ip_forward() in net/ipv4/ip_forward.c and ip6_forward() in net/ipv6/ip6_output.c */
function ownErrors(ruleset: Ruleset, state: number): Constraint {
  return all([tooBig(ruleset), is('ctstate', state), notLoopback]);
}

/** What is asked of packets. */
export function askedOfOwnErrors(ruleset: Ruleset): readonly Constraint[] {
  return [passing(), ownErrors(ruleset, ctstates.RELATED)];
}

/** Rules of OUTPUT that let packets of known connections out, and not these errors, where none of those gets out that go outside, or none that go inside. */
export function ownErrorsUnrelated(cx: CheckContext): readonly RuleAt[] {
  const table = cx.ruleset.tables.get('filter');
  const states = table === undefined ? [] : cx.rules(table).filter(at => effectOf(at.rule) === 'accept' && asksForState(constraintsOf(cx.ruleset, table.name).of(at.rule)));
  const pipeline = table === undefined || states.length === 0 || !isRouter(cx) ? undefined : cx.pipeline();
  if (table === undefined || pipeline === undefined || opens(pipeline, 'through', passing()).kind !== 'yes') return [];
  const outward = fromOutside(cx, 'out');
  for (const side of [outward, not(outward)]) {
    const answer = question(pipeline, 'out', all([ownErrors(cx.ruleset, ctstates.RELATED), side]), 'accept');
    if (answer.kind === 'undecided') cx.undecided();
    if (answer.kind !== 'no') continue;
    const takes = (at: RuleAt, state: number): boolean => reachWith(cx.space(), table, at, all([ownErrors(cx.ruleset, state), side]), 'OUTPUT').kind === 'live';
    const found = states.filter(at => takes(at, ctstates.ESTABLISHED) && !takes(at, ctstates.RELATED));
    if (found.length > 0) return found;
  }
  return [];
}
