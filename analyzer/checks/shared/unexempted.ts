/** Rules that wait for packets which are exempt from connection tracking, where table raw exempts none of theirs. */
import type { Table } from '../../model/ruleset.js';
import type { Decider, RuleAt } from '../../packet-space/answers.js';
import { ask, reachWith } from '../../packet-space/index.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all, ctstates, is, mentions, type Constraint } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import { rangesOf, without } from './asked.js';
import type { CheckContext } from '../define-check.js';
import { comesTo, type Exempt } from './notrack.js';
import { everydayClient, notLoopback } from './replies.js';
import { effectOf } from './targets.js';

/** A rule that waits in vain, and who drops its packets, tracked as they are. */
export interface Unexempted {
  readonly at: RuleAt;
  readonly hook: 'INPUT' | 'FORWARD';
  readonly by: readonly Decider[];
}

const passing = ['accept', 'queue', 'unknown'] as const;
const isOnly = (asks: Constraint, field: 'ctstate' | 'protocol', values: readonly number[]): boolean => rangesOf(asks, field)?.every(({ low, high }) => low === high && values.includes(Number(low))) === true;

/** Rules of table filter for TCP or UDP from elsewhere. What the kernel itself does not track (neighbours in IPv6) is neither. */
export function* unexempted(cx: CheckContext, raw: Table, filter: Table, exempts: readonly Exempt[]): Generator<Unexempted, void> {
  const constraints = constraintsOf(cx.ruleset, filter.name);
  for (const at of cx.rules(filter)) {
    const asks = constraints.of(at.rule);
    if (effectOf(at.rule) !== 'accept' || !isOnly(asks, 'ctstate', [ctstates.UNTRACKED]) || !isOnly(asks, 'protocol', [protocolNumber.tcp, protocolNumber.udp])) continue;
    const reached = reachWith(cx.space(), filter, at, notLoopback);
    if (reached.kind !== 'live' || (reached.hook !== 'INPUT' && reached.hook !== 'FORWARD')) continue;
    const packets = all([...without(asks, ['ctstate', 'mark', 'connmark']), notLoopback, is('fragment', 0), ...mentions(asks, ['sport']) ? [] : [everydayClient.first]]);
    const asTheyCome = all(without(packets, ['out']));
    if (exempts.some(one => comesTo(cx, raw, one.at, 'PREROUTING', asTheyCome))) continue;
    const tracked = ask(cx.space(), filter, reached.hook, all([packets, is('ctstate', ctstates.NEW)]), passing);
    if (tracked.kind === 'no') yield { at, hook: reached.hook, by: tracked.by };
  }
}
