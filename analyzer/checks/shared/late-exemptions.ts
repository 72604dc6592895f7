/** Rules that are to keep connections from being translated, and stand behind others that translate some of them. */
import type { Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { reachWith } from '../../packet-space/index.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import type { Constraint } from '../../packet/constraint.js';
import type { CheckContext } from '../define-check.js';
import { hasConjunct } from './conjuncts.js';
import { liveTranslations } from './nat-rules.js';
import { effectOf } from './targets.js';

/** Whether a rule is for what IPsec takes on its way out. */
export function isForIpsec(cx: CheckContext, at: RuleAt): boolean {
  return isOutToIpsec(constraintsOf(cx.ruleset, at.table).of(at.rule));
}

/** Whether IPsec takes all that meets a constraint on its way out. */
export function isOutToIpsec(asks: Constraint): boolean {
  return hasConjunct(asks, one => one.kind === 'atom' && one.name.startsWith('policy out ipsec'));
}

/** The rules of its chain that translate connections for which a live exemption behind them is; of other rules, none. */
export function takersBefore(cx: CheckContext, nat: Table, at: RuleAt): readonly RuleAt[] {
  const effect = effectOf(at.rule);
  if ((effect !== 'accept' && effect !== 'return') || cx.reach(nat).get(at.rule)?.kind !== 'live') return [];
  const asks = constraintsOf(cx.ruleset, nat.name).of(at.rule);
  return (['source', 'destination'] as const).flatMap(side => [...liveTranslations(cx, side)])
    .filter(({ translation: { at: one, hooks } }) => one.chain === at.chain && one.position < at.position && hooks.some(hook => reachWith(cx.space(), nat, one, asks, hook).kind === 'live'))
    .map(({ translation }) => translation.at);
}
