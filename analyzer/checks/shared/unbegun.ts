/** Rules for new connections by which none begins, because no first packet comes to them. */
import type { Ruleset, Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { askLike, reachWith } from '../../packet-space/index.js';
import { isNothing } from '../../packet-space/packets.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, any, ctstates, is, masked, mentions, oneOf, type Constraint } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { CheckContext } from '../define-check.js';
import { meet, rangesOf } from './asked.js';
import { isCatchAll } from './catch-all.js';
import { hasConjunct } from './conjuncts.js';
import { hooksInto } from './hooks-into.js';
import { notLoopback, statesOf } from './replies.js';
import { effectOf, refuses } from './targets.js';

/** Ports from which nobody connects (rresvport(3)): what comes to them is for a service. */
const services = 512;
const newState = rangesOf(is('ctstate', ctstates.NEW), 'ctstate') ?? [];

/** The packets from elsewhere that may begin connections, by their state. */
function newPackets(ruleset: Ruleset): Constraint {
  return all([is('protocol', protocolNumber.tcp), is('fragment', 0), statesOf(ruleset).first, notLoopback]);
}

function synPackets(ruleset: Ruleset): Constraint {
  return all([newPackets(ruleset), masked('tcpFlags', 2, 63)]);
}

function isOnly(constraint: Constraint, field: 'protocol' | 'ctstate', value: number): boolean {
  return rangesOf(constraint, field)?.every(({ low, high }) => low === value && high === value) === true;
}

/** Whether a rule that accepts is there for TCP connections to begin by. */
function isToBegin(asks: Constraint): boolean {
  if (!isOnly(asks, 'protocol', protocolNumber.tcp)) return false;
  const states = rangesOf(asks, 'ctstate');
  return states === undefined ? rangesOf(asks, 'dport')?.every(({ high }) => high < services) === true
    : states.some(({ low, high }) => low <= ctstates.NEW && ctstates.NEW <= high);
}

/** By a negation: who asks for flags by name knows which packets have them. */
function excludesFlags(asks: Constraint): boolean {
  return hasConjunct(asks, one => one.kind === 'not' && mentions(one, ['tcpFlags']));
}

/** A rule for NEW packets that are no SYN (`! --syn`), where no SYN packet that is like them in all else passes by another. */
function isWithoutSyn(cx: CheckContext, table: Table, at: RuleAt, asks: Constraint): boolean {
  if (!isOnly(asks, 'ctstate', ctstates.NEW) || !excludesFlags(asks)) return false;
  const like = { packets: synPackets(cx.ruleset), but: ['tcpFlags'], fates: ['accept', 'queue', 'nat', 'unknown'] } as const;
  return hooksInto(table, at.chain).every(hook => askLike(cx.space(), table, hook, like)(at).kind === 'no');
}

/** Whether rules that take packets drop them all, on their own or in chains that they lead to. */
function areDroppers(by: readonly RuleAt[]): boolean {
  return by.some(({ rule }) => refuses(rule)) && by.every(({ rule }) => refuses(rule) || (rule.target.kind === 'chain' && !rule.target.goto));
}

/** A rule that waits for SYN packets and gets none. */
export interface WithoutSyn {
  readonly at: RuleAt;
  /** Who drops them; nobody, where the rule itself asks for others. */
  readonly by: readonly RuleAt[];
}

/** Rules of filter by which TCP connections are meant to begin, and none does. */
export function withoutSyn(cx: CheckContext): readonly WithoutSyn[] {
  const { ruleset } = cx;
  const table = ruleset.tables.get('filter');
  if (table === undefined) return [];
  const constraints = constraintsOf(ruleset, table.name);
  const syn = synPackets(ruleset);
  const isOfSyn = (asks: Constraint): boolean => mentions(asks, ['tcpFlags', 'ctstate']) && !isNothing(ruleset.family, all([asks, syn]));
  const mayBeDropped = cx.rules(table).some(({ rule }) => refuses(rule) && isOfSyn(constraints.of(rule)));
  return cx.rules(table).flatMap((at): WithoutSyn[] => {
    if (effectOf(at.rule) !== 'accept') return [];
    const asks = constraints.of(at.rule);
    if (!isToBegin(asks) || !(mayBeDropped || excludesFlags(asks)) || cx.reach(table).get(at.rule)?.kind !== 'live') return [];
    if (reachWith(cx.space(), table, at, newPackets(ruleset)).kind !== 'live') return [];
    const answer = reachWith(cx.space(), table, at, syn);
    if (answer.kind === 'shadowed') return areDroppers(answer.by) ? [{ at, by: answer.by }] : [];
    return answer.kind === 'contradiction' && isWithoutSyn(cx, table, at, asks) ? [{ at, by: [] }] : [];
  });
}

const carried = any([is('protocol', protocolNumber.tcp), is('protocol', protocolNumber.udp)]);
const underWay = oneOf('ctstate', [ctstates.ESTABLISHED, ctstates.RELATED]);

/** Who takes all first packets of TCP and UDP that are like those of a live rule, where none under way comes to it either: what does is INVALID. Else nobody. */
export function takersOfFirst(cx: CheckContext, table: Table, at: RuleAt): readonly RuleAt[] {
  const elsewhere = all([carried, notLoopback, is('fragment', 0)]);
  const first = reachWith(cx.space(), table, at, all([elsewhere, statesOf(cx.ruleset).first]));
  return first.kind === 'shadowed' && reachWith(cx.space(), table, at, all([elsewhere, underWay])).kind !== 'live' ? first.by : [];
}

/** Rules of filter that let something in whatever its state, where others turn away all that is NEW before. */
export function withoutFirst(cx: CheckContext): readonly WithoutSyn[] {
  const table = cx.ruleset.tables.get('filter');
  if (table === undefined) return [];
  const constraints = constraintsOf(cx.ruleset, table.name);
  const isForNew = ({ rule }: RuleAt): boolean => refuses(rule) && mentions(constraints.of(rule), ['ctstate']) && meet(rangesOf(constraints.of(rule), 'ctstate'), newState);
  if (!cx.rules(table).some(isForNew)) return [];
  return cx.rules(table).flatMap((at): WithoutSyn[] => {
    if (effectOf(at.rule) !== 'accept' || isCatchAll(at.rule) || mentions(constraints.of(at.rule), ['ctstate', 'tcpFlags']) || cx.reach(table).get(at.rule)?.kind !== 'live') return [];
    const by = takersOfFirst(cx, table, at);
    return areDroppers(by) ? [{ at, by }] : [];
  });
}
