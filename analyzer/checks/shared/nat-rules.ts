/** What the rules of table nat ask of packets, and whether any comes to them in their own table. */
import type { Hook } from '../../extensions/define.js';
import type { Path } from '../../packet-space/pipeline/index.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import { isTableName, type Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { all, type Constraint } from '../../packet/constraint.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import type { InterfaceName } from '../../values/interface-name.js';
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

const leading = new WeakMap<Table, Map<Hook, ReadonlyMap<string, readonly RuleAt[]>>>();

/** By chain of a rule's table, the rules that lead there on the way behind a hook. */
function leadersOf(cx: CheckContext, at: RuleAt, hook: Hook): ReadonlyMap<string, readonly RuleAt[]> {
  const table = isTableName(at.table) ? cx.ruleset.tables.get(at.table) : undefined;
  if (table === undefined) return new Map();
  let known = leading.get(table);
  if (known === undefined) leading.set(table, known = new Map<Hook, ReadonlyMap<string, readonly RuleAt[]>>());
  let found = known.get(hook);
  if (found === undefined) known.set(hook, found = findLeaders(cx, table, hook));
  return found;
}

function findLeaders(cx: CheckContext, table: Table, hook: Hook): ReadonlyMap<string, readonly RuleAt[]> {
  const hooks = hooksOf(table);
  const led = new Map<string, RuleAt[]>();
  for (const at of cx.rules(table)) {
    const { target } = at.rule;
    if (target.kind !== 'chain' || hooks.get(at.chain)?.includes(hook) !== true) continue;
    const some = led.get(target.name);
    if (some === undefined) led.set(target.name, [at]);
    else some.push(at);
  }
  return led;
}

/** A rule, and those that lead to it behind a hook, as long as there is one way to its chain; the rule first. */
export function onTheWay(cx: CheckContext, at: RuleAt, hook: Hook): readonly RuleAt[] {
  const leaders = leadersOf(cx, at, hook);
  const found = [at];
  const met = new Set([at.chain]);
  for (let [only, ...others] = leaders.get(at.chain) ?? []; only !== undefined && others.length === 0; [only, ...others] = leaders.get(only.chain) ?? []) {
    found.push(only);
    if (met.has(only.chain)) break;
    met.add(only.chain);
  }
  return found;
}

/** More ways than these are not looked at. */
const wayLimit = 32;

/** The rules that lead to a rule in its table behind a hook, way by way. */
export function waysTo(cx: CheckContext, at: RuleAt, hook: Hook): readonly (readonly RuleAt[])[] {
  const leaders = leadersOf(cx, at, hook);
  const found: (readonly RuleAt[])[] = [];
  const open: (readonly RuleAt[])[] = [[]];
  for (let way = open.pop(); way !== undefined && found.length + open.length < wayLimit; way = open.pop()) {
    const before = way;
    const calls = leaders.get((way.at(-1) ?? at).chain) ?? [];
    if (calls.length === 0) found.push(way);
    open.push(...calls.filter(call => !before.includes(call)).map(call => [...before, call]));
  }
  return found;
}

/** What a rule asks of packets, and the rules that lead to it behind a hook, as long as there is one way to its chain. */
export function askedOnTheWay(cx: CheckContext, at: RuleAt, hook: Hook): Constraint {
  const constraints = constraintsOf(cx.ruleset, at.table);
  return all(onTheWay(cx, at, hook).flatMap(one => conjuncts(constraints.of(one.rule))));
}

/** The interface that a rule of POSTROUTING, or one that leads there, names as the way out; undefined where that is not one. */
export function wayOutOf(cx: CheckContext, at: RuleAt): InterfaceName | undefined {
  const named = onTheWay(cx, at, 'POSTROUTING').flatMap(({ rule: { outInterface: out } }) => out === undefined || (out.negated && out.value.name === 'lo') ? [] : out);
  const [only, ...others] = named;
  return only === undefined || others.length > 0 || only.negated || only.value.name === 'lo' ? undefined : only.value;
}
