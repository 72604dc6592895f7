/** Rules that are to keep connections from being translated, and stand behind others that translate some of them. */
import type { Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { reachWith } from '../../packet-space/index.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import type { Constraint } from '../../packet/constraint.js';
import type { CheckContext } from '../define-check.js';
import { areCovered, meet, rangesOf } from './asked.js';
import { hasConjunct } from './conjuncts.js';
import { liveTranslations } from './nat-rules.js';
import { effectOf } from './targets.js';
import { translationsOf } from './translations.js';

/** Whether a rule is for what IPsec takes on its way out. */
export function isForIpsec(cx: CheckContext, at: RuleAt): boolean {
  return isOutToIpsec(constraintsOf(cx.ruleset, at.table).of(at.rule));
}

/** Whether IPsec takes all that meets a constraint on its way out. */
export function isOutToIpsec(asks: Constraint): boolean {
  return hasConjunct(asks, one => one.kind === 'atom' && one.name.startsWith('policy out ipsec'));
}

const known = new WeakMap<CheckContext, ReadonlyMap<string, number>>();

/** Where the first rule of a chain stands that translates. */
function firstTranslations(cx: CheckContext): ReadonlyMap<string, number> {
  let found = known.get(cx);
  if (found === undefined) known.set(cx, found = new Map([...translationsOf(cx.ruleset)].reverse().map(({ at }) => [at.chain, at.position])));
  return found;
}

/** An exemption, as far as its target says, and behind rules of its chain that translate. */
export function mayBeLate(cx: CheckContext, { chain, position, rule }: RuleAt): boolean {
  const effect = effectOf(rule);
  return (effect === 'accept' || effect === 'return') && (firstTranslations(cx).get(chain) ?? position) < position;
}

/** The rules of its chain that translate connections for which a live exemption behind them is; of other rules, none. */
export function takersBefore(cx: CheckContext, nat: Table, at: RuleAt): readonly RuleAt[] {
  if (!mayBeLate(cx, at) || cx.reach(nat).get(at.rule)?.kind !== 'live') return [];
  const asks = constraintsOf(cx.ruleset, nat.name).of(at.rule);
  return (['source', 'destination'] as const).flatMap(side => [...liveTranslations(cx, side)])
    .filter(({ translation: { at: one, hooks }, asks: theirs }) => one.chain === at.chain && one.position < at.position && mayMeet(asks, theirs) && hooks.some(hook => reachWith(cx.space(), nat, one, asks, hook).kind === 'live'))
    .map(({ translation }) => translation.at);
}

/** Whether two rules may be for the same connections, as far as each says whose and which they are. */
function mayMeet(asks: Constraint, others: Constraint): boolean {
  return (['src', 'dst', 'protocol', 'dport'] as const).every(field => meet(rangesOf(asks, field), rangesOf(others, field)));
}

/** Whether a rule names addresses that another does not name alone: of its connections these are to be kept apart. */
function namesSome(asks: Constraint, others: Constraint): boolean {
  return (['src', 'dst'] as const).some(field => {
    const own = rangesOf(asks, field);
    return own !== undefined && !areCovered(rangesOf(others, field), [own]);
  });
}

/** Those of them that a rule is meant to keep from its connections: it is for what IPsec takes, or names addresses among those that they translate. */
export function meantToPrecede(cx: CheckContext, nat: Table, at: RuleAt): readonly RuleAt[] {
  const constraints = constraintsOf(cx.ruleset, nat.name);
  const asks = constraints.of(at.rule);
  const isOfIpsec = isForIpsec(cx, at);
  if (!isOfIpsec && rangesOf(asks, 'src') === undefined && rangesOf(asks, 'dst') === undefined) return [];
  return takersBefore(cx, nat, at).filter(one => isOfIpsec || namesSome(asks, constraints.of(one.rule)));
}
