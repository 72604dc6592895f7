/** Lists of senders that rules keep themselves (`-m recent`), and who gets on them. */
import type { KeptList } from '../../extensions/define.js';
import type { Rule, Table } from '../../model/ruleset.js';
import { isOpaque } from '../../model/ruleset.js';
import type { PacketSample, RuleAt } from '../../packet-space/answers.js';
import { ask, reachWith } from '../../packet-space/index.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, not, type Constraint } from '../../packet/constraint.js';
import type { CheckContext } from '../define-check.js';
import { conjuncts, hasConjunct } from './conjuncts.js';
import { fromOutside } from './outside.js';
import { notLoopback } from './replies.js';
import { strangers } from './strangers.js';
import { effectOf } from './targets.js';
import { unspoken } from './unspoken.js';

type Way = 'INPUT' | 'FORWARD';

/** A rule that accepts all that comes from whoever is on a list, and how anybody gets there. */
export interface OpenList {
  readonly at: RuleAt;
  readonly hook: Way;
  readonly list: string;
  /** The rule that puts strangers on the list, the hook where it does, and a packet for which it does. */
  readonly putter: RuleAt;
  readonly putAt: Way;
  readonly first: PacketSample;
  /** A packet of the same stranger that no rule speaks of. */
  readonly next: PacketSample;
}

/** The lists that a rule is about. */
export function listsOf({ matches }: Rule): readonly KeptList[] {
  return matches.flatMap(use => isOpaque(use) ? [] : use.definition.keeps?.(use.given, use.ordered) ?? []);
}

/** The list of senders that a rule is about; undefined where there is none, or there are several. */
function keptBy(rule: Rule): KeptList | undefined {
  const [only, ...others] = listsOf(rule).filter(({ side, negated }) => side === 'src' && !negated);
  return others.length === 0 ? only : undefined;
}

/** First packets of strangers that go one way. */
function strangersOn(cx: CheckContext, hook: Way): Constraint {
  return hook === 'INPUT' ? strangers(cx) : all([strangers(cx), notLoopback, not(fromOutside(cx, 'out'))]);
}

/** The rule by which a stranger gets on the list: he need only ask for a service that is open to all, or for anything at all. Who must know a secret port has knocked. */
function putterOf(cx: CheckContext, table: Table, list: string): Pick<OpenList, 'putter' | 'putAt' | 'first'> | undefined {
  const constraints = constraintsOf(cx.ruleset, table.name);
  for (const at of cx.rules(table)) {
    const kept = keptBy(at.rule);
    if (kept?.does !== 'puts' || kept.list !== list || hasConjunct(constraints.of(at.rule), ({ kind }) => kind === 'unknown' || kind === 'atom')) continue;
    for (const hook of ['INPUT', 'FORWARD'] as const) {
      const packets = effectOf(at.rule) === 'accept' ? strangersOn(cx, hook) : unspoken(cx, table, hook, 'tcp');
      const reached = packets === undefined ? undefined : reachWith(cx.space(), table, at, packets, hook);
      if (reached?.kind === 'live') return { putter: at, putAt: hook, first: reached.witness };
    }
  }
  return undefined;
}

function* openListsOf(cx: CheckContext, table: Table, hook: Way, isOpen: (rest: Constraint) => boolean): Generator<OpenList, void> {
  const constraints = constraintsOf(cx.ruleset, table.name);
  for (const [index, rule] of table.chains.get(hook)?.rules.entries() ?? []) {
    const kept = keptBy(rule);
    if (kept?.does !== 'asks' || effectOf(rule) !== 'accept') continue;
    const parts = conjuncts(constraints.of(rule));
    if (parts.filter(({ kind }) => kind === 'unknown').length !== 1 || !parts.every(one => one.kind === 'unknown' || isOpen(one))) continue;
    const probe = unspoken(cx, table, hook, 'tcp');
    if (probe === undefined || ask(cx.space(), table, hook, probe, ['drop', 'reject']).kind !== 'yes') return;
    const at: RuleAt = { table: table.name, chain: hook, position: index + 1, rule };
    const reached = reachWith(cx.space(), table, at, probe, hook);
    const way = reached.kind === 'live' ? putterOf(cx, table, kept.list) : undefined;
    if (reached.kind === 'live' && way !== undefined) yield { at, hook, list: kept.list, ...way, next: reached.witness };
  }
}

/** Rules of INPUT and FORWARD that ask for nothing but that the sender is on a list, where anybody gets on it, and what comes to them would be dropped else. `isOpen`: of the rest of what a rule asks. */
export function* openLists(cx: CheckContext, table: Table, isOpen: (rest: Constraint) => boolean): Generator<OpenList, void> {
  for (const hook of ['INPUT', 'FORWARD'] as const) yield* openListsOf(cx, table, hook, isOpen);
}
