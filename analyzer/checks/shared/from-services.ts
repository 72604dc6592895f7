/** Rules for connections that are begun from the port of a service, as nobody's are: where `--sport` stands in place of `--dport`. */
import type { Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { otherwise, reachWith } from '../../packet-space/index.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, ctstates, is, mentions, oneOf, type Constraint, type Range } from '../../packet/constraint.js';
import { localPorts } from '../../packet/local-ports.js';
import { protocolNumber } from '../../packet/protocols.js';
import type { CheckContext } from '../define-check.js';
import { acceptsAll } from './accepting.js';
import { rangesOf } from './asked.js';
import { firstTo } from './strangers.js';
import { hasNotrack, notLoopback } from './replies.js';
import { translationsOf } from './translations.js';

/** A rule, and the ports that it names. */
export interface FromServices {
  readonly at: RuleAt;
  readonly protocol: 'tcp' | 'udp';
  readonly ports: readonly [number, ...number[]];
}

/** In active mode a server of FTP begins its data connections at port 20. By UDP many services ask each other from their own ports, but nobody asks for names from there. */
function isService(protocol: FromServices['protocol'], { low, high }: Range): boolean {
  return low === high && (protocol === 'tcp' ? Number(low) < localPorts.low && Number(low) !== 20 : Number(low) === 53);
}

/** The ports of services from which connections of a rule come; undefined where it says more of ports, or any may be a client's. */
function servicesOf(cx: CheckContext, at: RuleAt): FromServices | undefined {
  const asks = constraintsOf(cx.ruleset, at.table).of(at.rule);
  const protocols = rangesOf(asks, 'protocol') ?? [];
  const protocol = (['tcp', 'udp'] as const).find(one => protocols.length > 0 && protocols.every(({ low, high }) => low === protocolNumber[one] && high === low));
  const ranges = rangesOf(asks, 'sport') ?? [];
  const [first, ...others] = ranges.map(({ low }) => Number(low));
  if (protocol === undefined || first === undefined || mentions(asks, ['dport', 'tcpFlags']) || !ranges.every(one => isService(protocol, one))) return undefined;
  return { at, protocol, ports: [first, ...others] };
}

/** Whether a rule may be for the answers of one server, left over from a time before connections were tracked: it names him, and asks for no state. */
function mayBeForAnswers(cx: CheckContext, { at: { table, rule } }: FromServices): boolean {
  const asks = constraintsOf(cx.ruleset, table).of(rule);
  return !mentions(asks, ['ctstate']) && rangesOf(asks, 'src')?.every(({ low, high }) => low === high) === true;
}

/** Whether connections begin by a rule that would not without it, and nothing else comes to it: answers pass before, or it does not ask for them. */
function isForFirst(cx: CheckContext, table: Table, { at, protocol }: FromServices): boolean {
  const states = (...of: readonly (keyof typeof ctstates)[]): Constraint => oneOf('ctstate', of.map(one => ctstates[one]));
  const elsewhere = all([notLoopback, is('fragment', 0)]);
  const answers = states('ESTABLISHED', 'RELATED', ...hasNotrack(cx.ruleset) ? ['UNTRACKED' as const] : []);
  if (otherwise(cx.space(), table, at, 'other').kind === 'no') return false;
  return reachWith(cx.space(), table, at, all([elsewhere, firstTo(protocol), states('NEW')])).kind === 'live'
    && reachWith(cx.space(), table, at, all([elsewhere, is('protocol', protocolNumber[protocol]), answers])).kind !== 'live';
}

/** Those of filter that accept, and those of nat that translate destinations: nat sees the first packets of connections only. */
export function* fromServices(cx: CheckContext): Generator<FromServices, void> {
  const filter = cx.ruleset.tables.get('filter');
  const accepting = filter === undefined ? [] : cx.rules(filter).filter(at => acceptsAll(filter, at.rule) && cx.reach(filter).get(at.rule)?.kind === 'live');
  const translating = translationsOf(cx.ruleset).flatMap(({ side, at }) => side === 'destination' ? [at] : []);
  for (const at of [...accepting, ...translating]) {
    const found = servicesOf(cx, at);
    if (found !== undefined && (filter === undefined || at.table !== 'filter' || (!mayBeForAnswers(cx, found) && isForFirst(cx, filter, found)))) yield found;
  }
}
