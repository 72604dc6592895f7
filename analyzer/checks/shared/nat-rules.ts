/** What the rules of table nat ask of packets, and whether any comes to them in their own table. */
import type { Hook } from '../../extensions/define.js';
import type { Path } from '../../packet-space/pipeline/index.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import type { Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { all, type Constraint } from '../../packet/constraint.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import type { CheckContext } from '../define-check.js';
import { conjuncts } from './conjuncts.js';
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

const leading = new WeakMap<Table, ReadonlyMap<string, readonly RuleAt[]>>();

/** By chain, the rules that lead there on the way behind PREROUTING. */
function leadersOf(cx: CheckContext, table: Table): ReadonlyMap<string, readonly RuleAt[]> {
  let found = leading.get(table);
  if (found !== undefined) return found;
  const hooks = hooksOf(table);
  const led = new Map<string, RuleAt[]>();
  for (const at of cx.rules(table)) {
    const { target } = at.rule;
    if (target.kind !== 'chain' || hooks.get(at.chain)?.includes('PREROUTING') !== true) continue;
    const some = led.get(target.name);
    if (some === undefined) led.set(target.name, [at]);
    else some.push(at);
  }
  leading.set(table, found = led);
  return found;
}

/** What a rule behind PREROUTING asks of packets, and the rules that lead to it, as long as there is one way to its chain. */
export function askedOnTheWay(cx: CheckContext, { at, hooks }: Translation, asks: Constraint): Constraint {
  const nat = cx.ruleset.tables.get('nat');
  if (nat === undefined || !hooks.includes('PREROUTING')) return asks;
  const constraints = constraintsOf(cx.ruleset, nat.name);
  const leaders = leadersOf(cx, nat);
  const met = new Set<string>();
  const parts = [...conjuncts(asks)];
  let chain = at.chain;
  for (let [only, ...others] = leaders.get(chain) ?? []; only !== undefined && others.length === 0 && !met.has(chain); [only, ...others] = leaders.get(chain) ?? []) {
    met.add(chain);
    parts.push(...conjuncts(constraints.of(only.rule)));
    ({ chain } = only);
  }
  return all(parts);
}
