import type { Because } from '../finding.js';
import type { Rule, Table } from '../model/ruleset.js';
import type { Answer, Decider, PacketSample } from '../packet-space/answers.js';
import { ask } from '../packet-space/index.js';
import { all, any, ctstates, is, masked, not, within, type Constraint } from '../packet/constraint.js';
import { localPorts } from '../packet/local-ports.js';
import { protocolNumber } from '../packet/protocols.js';
import { stepOf } from '../witness/step.js';
import { areCovered, rangesOf } from './shared/asked.js';
import { deciderBecause, isPolicy } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { answersTo, comesTo, exempting, type Exempt } from './shared/notrack.js';
import { notLoopback } from './shared/replies.js';
import { handshakePackets, unheardHandshakes, type Unheard } from './shared/unheard-handshakes.js';
import { theSame } from './shared/the-same.js';
import { unexempted, type Unexempted } from './shared/unexempted.js';

const { INVALID, NEW, UNTRACKED } = ctstates;
const passing = ['accept', 'queue', 'unknown'] as const;

/** So many rules that exempt others are named. */
const exemptsTold = 3;

interface Conflict {
  readonly hook: 'INPUT' | 'FORWARD' | 'OUTPUT';
  readonly tracked: Extract<Answer, { kind: 'yes' }>;
  readonly untracked: Extract<Answer, { kind: 'no' }>;
}

/** Whether some of the packets pass a hook of table filter for sure, at a pace that no limit minds. */
function passes(cx: CheckContext, hook: Conflict['hook'], packets: Constraint): Extract<Answer, { kind: 'yes' }> | undefined {
  const patient = cx.at('patient');
  const table = patient.ruleset.tables.get('filter');
  const answer = table === undefined ? undefined : ask(patient.space(), table, hook, packets, ['accept']);
  return answer?.kind === 'yes' && answer.certain ? answer : undefined;
}

/** As the first packets of connections they would pass, and exempt from tracking none of them does, wherever they come by. */
function conflictOf(cx: CheckContext, table: Table, exempt: Exempt): Conflict | undefined {
  const these = all([exempt.packets, notLoopback, is('fragment', 0)]);
  const hooks = hooksOf(exempt).map(hook => ({ hook, untracked: ask(cx.space(), table, hook, all([these, is('ctstate', UNTRACKED)]), passing) }));
  for (const { hook, untracked } of hooks.every(one => one.untracked.kind === 'no') ? hooks : []) {
    const tracked = passes(cx, hook, all([these, is('ctstate', NEW)]));
    if (tracked !== undefined && untracked.kind === 'no') return { hook, tracked, untracked };
  }
  return undefined;
}

const waiting = new WeakMap<CheckContext, ReadonlySet<Rule>>();

/** Rules that would let pass what is exempt, were it tracked, and of which this check says that nothing does. */
export function waitingInVain(cx: CheckContext): ReadonlySet<Rule> {
  let found = waiting.get(cx);
  const table = cx.ruleset.tables.get('filter');
  if (found === undefined) {
    const conflicts = table === undefined || !cx.ruleset.tables.has('raw') ? [] : exempting(cx).flatMap(one => conflictOf(cx, table, one) ?? []);
    waiting.set(cx, found = new Set(conflicts.flatMap(({ tracked: { by } }) => isPolicy(by) ? [] : table?.chains.get(by.chain)?.rules[by.position - 1] ?? [])));
  }
  return found;
}

function hooksOf({ hooks }: Exempt): readonly Conflict['hook'][] {
  return [...hooks.includes('PREROUTING') ? ['INPUT', 'FORWARD'] as const : [], ...hooks.includes('OUTPUT') ? ['OUTPUT'] as const : []];
}

function reportConflict(cx: CheckContext, { at }: Exempt, { hook, tracked, untracked }: Conflict): Report {
  const { witness } = tracked;
  const allows: Because = deciderBecause(cx.ruleset, tracked.by, 'would let them pass, if they were tracked');
  const sample = { ...witness, ctstate: 'UNTRACKED' };
  return {
    at,
    message: `what this rule exempts from connection tracking is dropped at ${hook}: the rules there wait for NEW packets, and these are UNTRACKED`,
    because: [allows, ...untracked.by.map(one => deciderBecause(cx.ruleset, one, 'drops them'))],
    witness: [stepOf(sample, hook === 'OUTPUT' ? 'local' : witness.in ?? 'eth0')],
    shows: [{ at: `filter:${hook}`, fate: 'lost' }],
    help: `let them pass untracked: -A ${hook} … -m conntrack --ctstate UNTRACKED -j ACCEPT; or delete the exemption`,
  };
}

function mentionsPort(constraint: Constraint): boolean {
  const isKnown = rangesOf(constraint, 'protocol')?.every(({ low }) => low === protocolNumber.tcp || low === protocolNumber.udp);
  return isKnown === true && rangesOf(constraint, 'dport') !== undefined;
}

interface OneWay extends Exempt {
  /** A request that is let in. */
  readonly request: PacketSample;
  /** Who drops the answers, if all of them are. */
  readonly answersDroppedBy: readonly Decider[];
}

/** What answers are that belong to nothing that is tracked: a SYN/ACK is INVALID then, and a datagram begins a flow. */
const unexpected = any([
  all([is('protocol', protocolNumber.tcp), masked('tcpFlags', 0x12, 0x3f), is('ctstate', INVALID)]), all([is('protocol', protocolNumber.udp), is('ctstate', NEW)]),
]);

/** VXLAN and Geneve: both ends send to this port, and nobody answers to the one from which a packet came. */
const tunnels = [{ low: 4789, high: 4789 }, { low: 6081, high: 6081 }, { low: 8472, high: 8472 }];

/** The requests to a service of this host are exempt, and none of its answers is. */
function oneWay(cx: CheckContext, raw: Table, table: Table, exempt: Exempt, others: readonly Exempt[]): OneWay | undefined {
  if (!exempt.hooks.includes('PREROUTING') || !mentionsPort(exempt.packets) || areCovered(rangesOf(exempt.packets, 'dport'), [tunnels])) return undefined;
  const accepted = passes(cx, 'INPUT', all([exempt.packets, notLoopback, within('sport', localPorts.low, localPorts.high), is('ctstate', UNTRACKED), is('fragment', 0)]));
  if (accepted === undefined) return undefined;
  const answers = all([answersTo(exempt.packets), within('dport', localPorts.low, localPorts.high), not({ kind: 'interface', field: 'out', name: 'lo', prefix: false })]);
  // Where answers are exempt on their way through, the requests are meant that are forwarded.
  if (others.some(other => comesTo(cx, raw, other.at, 'OUTPUT', answers) || comesTo(cx, raw, other.at, 'PREROUTING', answers))) return undefined;
  const dropped = ask(cx.space(), table, 'OUTPUT', all([answers, unexpected, is('fragment', 0)]), passing);
  return { ...exempt, request: accepted.witness, answersDroppedBy: dropped.kind === 'no' ? dropped.by : [] };
}

function reportDead(cx: CheckContext, { at, request, answersDroppedBy }: OneWay): Report {
  const { src, dst, sport, dport, protocol, in: from = 'eth0' } = request;
  const isTcp = protocol === protocolNumber.tcp;
  const answer = Object.fromEntries(Object.entries({ protocol, src: dst, dst: src, sport: dport, dport: sport, ...isTcp ? { tcpFlags: 0x12 } : {} }).filter(([, value]) => value !== undefined));
  return {
    at,
    message: `requests are exempt from connection tracking, and the answers to them are not: they are ${isTcp ? 'INVALID' : 'NEW'}, and dropped at OUTPUT`,
    because: answersDroppedBy.map(one => deciderBecause(cx.ruleset, one, 'drops them')),
    witness: [stepOf({ ...request, ...isTcp ? { tcpFlags: 2 } : {} }, from), stepOf(answer, 'local')],
    shows: [{ at: 'filter:INPUT', fate: 'passes' }, { at: 'filter:OUTPUT', fate: 'lost' }],
    help: 'exempt the answers as well, and let them pass: -t raw -A OUTPUT with --sport in place of --dport, -j CT --notrack; -A OUTPUT … -m conntrack --ctstate UNTRACKED -j ACCEPT; or delete the exemption',
  };
}

function reportOneWay([{ at, packets }, ...others]: readonly [Exempt, ...Exempt[]]): Report {
  const isTcp = rangesOf(packets, 'protocol')?.some(({ low }) => low === protocolNumber.tcp);
  return {
    at, severity: 'info',
    because: theSame(others.map(one => one.at)),
    message: `requests are exempt from connection tracking, and the answers to them are not: ${isTcp === true ? 'the answers are INVALID' : 'each answer begins a flow, and the table fills all the same'}`,
    help: 'exempt the answers as well: -t raw -A OUTPUT with --sport in place of --dport, -j CT --notrack',
  };
}

function reportUnexempted(cx: CheckContext, { at, hook, by }: Unexempted, exempts: readonly Exempt[]): Report {
  return {
    at,
    message: 'this rule waits for packets that are exempt from connection tracking (UNTRACKED), and no rule of table raw exempts any that come by it: they are NEW, and dropped',
    because: [
      ...by.map(one => deciderBecause(cx.ruleset, one, 'drops them')),
      ...exempts.slice(0, exemptsTold).map(one => ({ rule: referenceOf(one.at), line: one.at.rule.line, message: 'exempts others' })),
    ],
    help: `exempt them: -t raw -A PREROUTING … -j CT --notrack, with the addresses and ports of this rule; or let them pass as they are: -A ${hook} … -m conntrack --ctstate NEW -j ACCEPT`,
  };
}

function reportUnheard(cx: CheckContext, { at, by }: Unheard): Report {
  return {
    at,
    message: 'SYNPROXY answers clients here, and never hears of them again: their SYN was not tracked, so that the ACK that follows is INVALID, or NEW, and does not come to it',
    because: by.map(one => deciderBecause(cx.ruleset, one, 'drops some of them before')),
    help: 'let it see them: ask for -m conntrack --ctstate INVALID,UNTRACKED, drop INVALID packets behind it only, and set net.netfilter.nf_conntrack_tcp_loose=0',
  };
}

export const notrackStateConflict = defineCheck({
  name: 'notrack-state-conflict',
  kind: 'conversations',
  severity: 'error',
  summary: 'Packets are exempt from connection tracking, and later rules wait for their state',
  why: `\`-j CT --notrack\` in table raw spares busy services the connection table. Such packets are UNTRACKED: neither NEW nor
ESTABLISHED, and nat leaves them alone. A rule of table filter that lets them pass must not ask for those states; where
none does without, the service is dead. So it is where a rule waits for UNTRACKED packets, and those of table raw exempt others only: answers, another port or address. Both directions must be exempt: where only the requests are, each answer
begins a flow of its own, and the table fills all the same; that is told as an info, and as an error where no answer passes OUTPUT like that.
SYNPROXY (\`-j SYNPROXY\`) must see the client's SYN, which is not tracked, and the ACK that follows: that belongs to nothing, and is INVALID. Where a rule drops INVALID packets before, often in table mangle, no connection ever begins.`,
  bad: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack
-A OUTPUT -p udp -m udp --sport 53 -j CT --notrack
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p udp -m multiport --dports 53,123 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  good: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack
-A OUTPUT -p udp -m udp --sport 53 -j CT --notrack
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p udp -m multiport --dports 53,123 -m conntrack --ctstate NEW,UNTRACKED -j ACCEPT
COMMIT
`,
  nearMiss: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:dns - [0:0]
-A PREROUTING -p udp -j dns
-A OUTPUT -p udp -j dns
-A dns -p udp -m udp --dport 53 -j CT --notrack
-A dns -p udp -m udp --sport 53 -j CT --notrack
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p udp -m udp --dport 53 -m conntrack ! --ctstate INVALID -j ACCEPT
-A INPUT -p udp -m udp --sport 53 -m conntrack --ctstate UNTRACKED -j ACCEPT
COMMIT
`,
  asks: ({ ruleset }) => ruleset.source.text.includes('SYNPROXY') ? handshakePackets : [],
  * run(cx) {
    for (const one of unheardHandshakes(cx)) yield reportUnheard(cx, one);
    const { tables } = cx.ruleset;
    const [table, raw] = [tables.get('filter'), tables.get('raw')];
    if (table === undefined || raw === undefined) return;
    const rules = exempting(cx);
    const harmless: Exempt[] = [];
    for (const exempt of rules) {
      const conflict = conflictOf(cx, table, exempt);
      const way = conflict === undefined ? oneWay(cx, raw, table, exempt, rules) : undefined;
      if (conflict !== undefined) yield reportConflict(cx, exempt, conflict);
      else if (way !== undefined && way.answersDroppedBy.length > 0) yield reportDead(cx, way);
      else if (way !== undefined) harmless.push(exempt);
    }
    const [first, ...others] = harmless;
    if (first !== undefined) yield reportOneWay([first, ...others]);
    if (rules.length > 0) for (const one of unexempted(cx, raw, table, rules)) yield reportUnexempted(cx, one, rules);
  },
});
