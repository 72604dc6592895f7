/** What the rules of table nat ask of packets, and whether any comes to them in their own table. */
import type { Hook } from '../../extensions/define.js';
import type { Path } from '../../packet-space/pipeline/index.js';
import type { Constraint } from '../../packet/constraint.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import type { CheckContext } from '../define-check.js';
import { areOwn } from './host-networks.js';
import { translationsOf, type Translation } from './translations.js';

/** A translation, and what its rule asks of packets as they come to it. */
export interface Asking {
  readonly translation: Translation;
  readonly asks: Constraint;
}

/** The translations of one side to which packets come, as far as their table says. */
export function* liveTranslations(cx: CheckContext, side: Translation['side']): Generator<Asking, void> {
  const nat = cx.ruleset.tables.get('nat');
  const translations = translationsOf(cx.ruleset).filter(one => one.side === side);
  if (nat === undefined || translations.length === 0) return;
  const constraints = constraintsOf(cx.ruleset, nat.name);
  const reached = cx.reach(nat);
  for (const translation of translations) {
    if (reached.get(translation.at.rule)?.kind === 'live') yield { translation, asks: constraints.of(translation.at.rule) };
  }
}

/** Whether it sends packets to this host itself; undefined where that is not known, or where only the port is written. */
export function isToSelf(cx: CheckContext, { address }: Translation): boolean | undefined {
  return address === 'own' ? true : address === 'same' ? undefined : areOwn(address, cx.host, cx.ruleset.family);
}

/** The ways that packets take behind a translation of their destination. An address of which nothing is known is another host's. */
export function pathsBehind(cx: CheckContext, translation: Translation): readonly Path[] {
  const isOwn = isToSelf(cx, translation) ?? (translation.address === 'same' ? undefined : false);
  const [here, on] = [isOwn !== false, isOwn !== true];
  const ways: Partial<Record<Hook, readonly Path[]>> = { PREROUTING: [...here ? ['in'] as const : [], ...on ? ['through'] as const : []], OUTPUT: [...here ? ['loop'] as const : [], ...on ? ['out'] as const : []] };
  return translation.hooks.flatMap(hook => ways[hook] ?? []);
}
