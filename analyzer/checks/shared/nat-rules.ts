/** What the rules of table nat ask of packets, and whether any comes to them in their own table. */
import type { Hook } from '../../extensions/define.js';
import type { Path } from '../../packet-space/pipeline/index.js';
import { hooksOf } from '../../packet-space/pipeline/read-ruleset.js';
import { isTableName, isUnresolved, type Rule, type Ruleset, type Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { ask, reachWith } from '../../packet-space/index.js';
import { all, ctstates, is, type Constraint, type Range } from '../../packet/constraint.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { printAddressMask } from '../../values/address-mask.js';
import { isSameInterface, type InterfaceName } from '../../values/interface-name.js';
import type { CheckContext } from '../define-check.js';
import { areCovered, rangesOf, without } from './asked.js';
import { conjuncts } from './conjuncts.js';
import { areOwn } from './host-networks.js';
import { effectOf } from './targets.js';
import { translationsOf, type Translation } from './translations.js';
import { together } from './whole-rules.js';

/** A translation, and what its rule asks of packets, and those that lead there. */
export interface Asking {
  readonly translation: Translation;
  readonly asks: Constraint;
}

/** The translations of one side to which packets come, as far as their table says. */
export function* liveTranslations(cx: CheckContext, side: Translation['side']): Generator<Asking, void> {
  const nat = cx.ruleset.tables.get('nat');
  const translations = translationsOf(cx.ruleset).filter(one => one.side === side);
  if (nat === undefined || translations.length === 0) return;
  const reached = cx.reach(nat);
  for (const translation of translations) {
    if (reached.get(translation.at.rule)?.kind === 'live') yield { translation, asks: askedOf(cx, translation) };
  }
}

/** What the rule of a translation asks, and those that lead to it where all packets come the same way. */
function askedOf(cx: CheckContext, { at, hooks: [hook, ...others] }: Translation): Constraint {
  return hook === undefined || others.length > 0 ? constraintsOf(cx.ruleset, at.table).of(at.rule) : askedOnTheWay(cx, at, hook);
}

/** Whether it sends packets to this host itself; undefined where that is not known, or where only the port is written. */
export function isToSelf(cx: CheckContext, translation: Translation): boolean | undefined {
  const { address } = translation;
  if (typeof address === 'string') return address === 'own' ? true : undefined;
  return areOwn(address, cx.host, cx.ruleset.family) ?? (isGivenAsOwn(cx, address) || isNamedAsOwn(cx, translation, address) ? true : undefined);
}

/** As packets come: what has marked them would be a program of this host's. */
export const unmarked = all([is('mark', 0), is('connmark', 0)]);

/** What translated packets are like when they come to filter; all that holds of them before and may not any more is left out. */
export function behind(cx: CheckContext, { at, address, ports }: Translation): Constraint {
  const parts = without(askedOnTheWay(cx, at, 'PREROUTING'), ['dst', ...ports === undefined ? [] : ['dport'] as const, 'mark', 'connmark']);
  const within = (field: 'dst' | 'dport', ranges: Translation['ports']): Constraint[] => ranges === undefined ? [] : [{ kind: 'within', field, ranges }];
  return all([...parts, ...within('dst', typeof address === 'string' ? undefined : address), ...within('dport', ports), is('ctstate', ctstates.NEW)]);
}

/** Whether a rule of INPUT lets the translated packets in by their new address, and none of FORWARD or POSTROUTING names that: it is the host's. */
function isNamedAsOwn(cx: CheckContext, translation: Translation, address: readonly Range[]): boolean {
  const filter = cx.ruleset.tables.get('filter');
  if (filter === undefined || !translation.hooks.includes('PREROUTING')) return false;
  const named = (table: Table | undefined, hook: Hook): readonly RuleAt[] => namingHosts(cx, table, hook).flatMap(({ at, hosts }) => areCovered(address, [hosts]) ? [at] : []);
  if (!named(filter, 'INPUT').some(at => isLetIn(cx, filter, at, behind(cx, translation)))) return false;
  return named(filter, 'FORWARD').length === 0 && named(cx.ruleset.tables.get('nat'), 'POSTROUTING').length === 0;
}

/** Whether a rule of INPUT lets some of the packets in, or leads them to where that is done. */
function isLetIn(cx: CheckContext, filter: Table, at: RuleAt, packets: Constraint): boolean {
  if (effectOf(at.rule) === 'accept') return reachWith(cx.space(), filter, at, packets, 'INPUT').kind === 'live';
  return at.rule.target.kind === 'chain' && ask(cx.space(), filter, 'INPUT', all([packets, constraintsOf(cx.ruleset, filter.name).of(at.rule)]), ['accept']).kind === 'yes';
}

const givenBySnat = new WeakMap<Ruleset, readonly Range[]>();

/** Whether SNAT gives the address to connections: their answers come to this host, so that it has it. */
function isGivenAsOwn({ ruleset }: CheckContext, address: readonly Range[]): boolean {
  let given = givenBySnat.get(ruleset);
  if (given === undefined) givenBySnat.set(ruleset, given = translationsOf(ruleset).flatMap(one => one.side === 'source' && one.network === undefined && typeof one.address !== 'string' && one.hooks.includes('POSTROUTING') ? one.address : []));
  return given.length > 0 && areCovered(address, [given]);
}

interface NamingHosts {
  readonly at: RuleAt;
  readonly hosts: readonly Range[];
}

const naming = new WeakMap<Table, Map<Hook, readonly NamingHosts[]>>();

/** The rules of a table behind a hook that name destinations one by one. */
function namingHosts(cx: CheckContext, table: Table | undefined, hook: Hook): readonly NamingHosts[] {
  if (table === undefined) return [];
  let known = naming.get(table);
  if (known === undefined) naming.set(table, known = new Map<Hook, readonly NamingHosts[]>());
  let found = known.get(hook);
  if (found === undefined) {
    const hooks = hooksOf(table);
    const constraints = constraintsOf(cx.ruleset, table.name);
    known.set(hook, found = cx.rules(table).flatMap(at => {
      const hosts = hooks.get(at.chain)?.includes(hook) === true ? rangesOf(constraints.of(at.rule), 'dst') : undefined;
      return hosts?.every(({ low, high }) => low === high) === true ? [{ at, hosts }] : [];
    }));
  }
  return found;
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

/** A rule with what those ask as well that lead to it behind a hook, as long as there is one way to its chain. */
export function wholeRule(cx: CheckContext, at: RuleAt, hook: Hook): Rule {
  const [rule, ...leaders] = onTheWay(cx, at, hook).map(one => one.rule);
  return leaders.reduce((whole, leader) => together(leader, whole), rule ?? at.rule);
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

/** Whether a rule says that the network for which a translation is comes by another interface. */
export function comesElsewhere({ ruleset: { tables } }: CheckContext, { translation: { at: { rule: { source } } } }: Asking, way: InterfaceName): boolean {
  if (source === undefined || source.negated || isUnresolved(source.value)) return false;
  const network = printAddressMask(source.value);
  const isThere = (rule: Rule): boolean => rule.inInterface?.negated === false && !isSameInterface(rule.inInterface.value, way) && rule.source?.negated === false && !isUnresolved(rule.source.value) && printAddressMask(rule.source.value) === network;
  return [...tables.values()].some(({ chains }) => [...chains.values()].some(({ rules }) => rules.some(isThere)));
}
