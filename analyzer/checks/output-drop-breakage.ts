import type { Because } from '../finding.js';
import type { Severity } from '../model/diagnostic.js';
import type { Chain, Ruleset, Table } from '../model/ruleset.js';
import type { Decider, PacketSample } from '../packet-space/answers.js';
import { ask } from '../packet-space/index.js';
import { firstPacket, neverReplied, nextPacket, question, type Pipeline } from '../packet-space/pipeline/index.js';
import { all, ctstates, is, masked, not, within, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { deciderBecause, deciderReference } from './deciders.js';
import { defineCheck, type CheckContext } from './define-check.js';
import type { ProposedStep, Shown } from '../witness/proposal.js';
import { stepOf } from '../witness/step.js';
import { exchanges, statesOf } from './replies.js';
import { effectOf } from './targets.js';

/** Something that a host must be able to send. */
interface Service {
  readonly name: string;
  readonly severity: Severity;
  readonly packets: Constraint;
  /** What the witness shows where the question itself gives no packet. */
  readonly example: PacketSample;
  /** It is sent by lo. */
  readonly isLoopback?: true;
  /** What lets it pass, behind `-A OUTPUT`. */
  readonly rule: string;
}

const lo: Constraint = { kind: 'interface', field: 'out', name: 'lo', prefix: false };
const outside = not(lo);

function port(ruleset: Ruleset, name: string, protocol: 'tcp' | 'udp', dport: number, severity: Severity, sport?: number): Service {
  const states = statesOf(ruleset);
  const isTcp = protocol === 'tcp';
  const peer = ruleset.family === 'ipv4' ? { src: '192.0.2.1', dst: '198.51.100.53' } : { src: '2001:db8::1', dst: '2001:db8:1::53' };
  return {
    name, severity,
    packets: all([
      is('protocol', protocolNumber[protocol]), is('dport', dport), is('fragment', 0), states.first, outside,
      ...isTcp ? [masked('tcpFlags', 2, 63)] : [], ...sport === undefined ? [] : [is('sport', sport)],
    ]),
    example: { ...peer, protocol: protocolNumber[protocol], sport: sport ?? 40_000, dport, ...isTcp ? { tcpFlags: 2 } : {} },
    rule: `-p ${protocol} -m ${protocol}${sport === undefined ? '' : ` --sport ${String(sport)}`} --dport ${String(dport)} -j ACCEPT`,
  };
}

function neighbourDiscovery(type: number, name: string): Service {
  return {
    name, severity: 'error',
    // The kernel does not track neighbour discovery (nf_conntrack_icmpv6_error).
    packets: all([is('protocol', protocolNumber.icmpv6), is('icmpType', type), is('icmpCode', 0), is('ctstate', ctstates.UNTRACKED), is('ttl', 255), outside]),
    example: { src: 'fe80::1', dst: 'ff02::1:ff00:2', protocol: protocolNumber.icmpv6, icmpType: type, icmpCode: 0, ttl: 255 },
    rule: `-p ipv6-icmp -m icmp6 --icmpv6-type ${String(type)} -j ACCEPT`,
  };
}

/** What every host needs, and what most need. */
function neededServices(ruleset: Ruleset): readonly Service[] {
  const isV4 = ruleset.family === 'ipv4';
  const icmp = isV4 ? protocolNumber.icmp : protocolNumber.icmpv6;
  const local = isV4 ? '127.0.0.1' : '::1';
  const states = statesOf(ruleset);
  return [
    { name: 'loopback', severity: 'error', isLoopback: true, packets: all([lo, states.first, is('protocol', protocolNumber.tcp), masked('tcpFlags', 2, 63), is('fragment', 0), within('dport', 32_768, 65_535)]), example: { src: local, dst: local, protocol: protocolNumber.tcp, sport: 40_000, dport: 5432, tcpFlags: 2 }, rule: '-o lo -j ACCEPT' },
    ...isV4 ? [] : [neighbourDiscovery(135, 'neighbour solicitation'), neighbourDiscovery(136, 'neighbour advertisement')],
    port(ruleset, 'DNS over UDP', 'udp', 53, 'warning'),
    port(ruleset, 'DNS over TCP', 'tcp', 53, 'info'),
    port(ruleset, 'HTTP', 'tcp', 80, 'info'),
    port(ruleset, 'HTTPS', 'tcp', 443, 'info'),
    port(ruleset, 'NTP', 'udp', 123, 'info'),
    isV4 ? port(ruleset, 'DHCP', 'udp', 67, 'info', 68) : port(ruleset, 'DHCPv6', 'udp', 547, 'info', 546),
    {
      name: 'ping', severity: 'info',
      packets: all([is('protocol', icmp), is('icmpType', isV4 ? 8 : 128), is('icmpCode', 0), states.first, outside]),
      example: { protocol: icmp, icmpType: isV4 ? 8 : 128, icmpCode: 0, ...isV4 ? { src: '192.0.2.1', dst: '198.51.100.7' } : { src: '2001:db8::1', dst: '2001:db8:1::7' } },
      rule: isV4 ? '-p icmp -m icmp --icmp-type 8 -j ACCEPT' : '-p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT',
    },
  ];
}

/** Replies to what INPUT lets in: none gets out. */
function brokenReplies(cx: CheckContext, pipeline: Pipeline): BrokenService | undefined {
  const [tcp] = exchanges(cx.ruleset);
  if (tcp === undefined) return undefined;
  const answer = neverReplied(pipeline, undefined, { path: 'in', packets: tcp.first, answers: tcp.reply });
  if (answer?.kind === 'undecided') cx.undecided();
  if (answer?.kind !== 'never') return undefined;
  const { sample, trip } = firstPacket(pipeline, answer.dies);
  const reply = nextPacket(pipeline, trip, sample, { tcpFlags: 18 });
  return {
    name: 'replies to the services that INPUT offers', severity: 'error', by: answer.by, rule: '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    steps: reply === undefined ? [] : [
      { step: stepOf(sample, sample.in ?? 'eth0'), shown: { at: 'filter:INPUT', fate: 'passes' } }, { step: stepOf(reply, 'local'), shown: { at: 'filter:OUTPUT', fate: 'lost' } },
    ],
  };
}

/** Whether OUTPUT ends in dropping what was not accepted before: by its policy or by its last rule. */
function dropsTheRest(chain: Chain): boolean {
  if (chain.policy === 'DROP') return true;
  const last = chain.rules.at(-1);
  if (last === undefined) return false;
  const asksNothing = last.source === undefined && last.destination === undefined && last.outInterface === undefined && last.protocol === undefined && last.matches.length === 0;
  const effect = effectOf(last);
  return asksNothing && (effect === 'drop' || effect === 'reject');
}

/** A packet, and what is shown of it. */
interface ShownStep {
  readonly step: ProposedStep;
  readonly shown: Shown;
}

interface BrokenService extends Pick<Service, 'name' | 'severity' | 'rule'> {
  readonly by: readonly Decider[];
  readonly steps: readonly ShownStep[];
}

function brokenServices(cx: CheckContext, table: Table, pipeline: Pipeline): BrokenService[] {
  const broken = neededServices(cx.ruleset).flatMap(({ isLoopback = false, packets, example, ...service }): BrokenService[] => {
    // What lo sends comes in again, and may be lost there: that is no matter of OUTPUT.
    const answer = isLoopback ? ask(cx.space(), table, 'OUTPUT', packets, ['accept', 'queue', 'nat', 'unknown']) : question(pipeline, 'out', packets, 'accept');
    if (answer.kind === 'undecided') cx.undecided();
    return answer.kind === 'no' ? [{ ...service, by: answer.by, steps: [{ step: stepOf(example, 'local'), shown: lostOnTheWay(answer.by) }] }] : [];
  });
  const replies = brokenReplies(cx, pipeline);
  return replies === undefined ? broken : [...broken, replies];
}

/** What table filter drops is shown there; else it is lost somewhere. */
function lostOnTheWay(by: readonly Decider[]): Shown {
  return by.every(one => one.table === 'filter') ? { at: 'filter:OUTPUT', fate: 'lost' } : { fate: 'lost' };
}

/** What this check asks of packets. */

function becauseOf(ruleset: Ruleset, broken: readonly BrokenService[]): Because[] {
  const byRule = new Map<string, { decider: Decider; names: string[] }>();
  for (const { name, by } of broken) for (const decider of by) {
    const rule = deciderReference(decider);
    const entry = byRule.get(rule) ?? { decider, names: [] };
    entry.names.push(name);
    byRule.set(rule, entry);
  }
  return [...byRule.values()].map(({ decider, names }) => deciderBecause(ruleset, decider, `ends ${names.join(', ')}`));
}

function witnessOf(broken: readonly BrokenService[]): { readonly witness: readonly ProposedStep[]; readonly shows: readonly Shown[] } {
  const steps = broken.flatMap(one => one.steps);
  return { witness: steps.map(({ step }) => step), shows: steps.map(({ shown }) => shown) };
}

const order: readonly Severity[] = ['info', 'warning', 'error'];

export const outputDropBreakage = defineCheck({
  name: 'output-drop-breakage',
  kind: 'conversations',
  severity: 'warning',
  summary: 'OUTPUT drops by default, and something the host needs cannot get out',
  why: `A host that drops what it sends by default must let out by name what it needs: loopback, name resolution,
time, package updates, address renewal, neighbour discovery in IPv6, and above all the replies to the services
that INPUT offers. What is missing shows as time-outs far from the firewall. Everything that cannot get out is
listed in one finding: an error where loopback, replies or neighbour discovery break, a warning for DNS, else info.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A OUTPUT -o lo -j ACCEPT
-A OUTPUT -p tcp -m multiport --dports 80,443 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A OUTPUT -o lo -j ACCEPT
-A OUTPUT -p udp -m multiport --dports 53,67,123 -j ACCEPT
-A OUTPUT -p tcp -m multiport --dports 53,80,443 -j ACCEPT
-A OUTPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A OUTPUT -p tcp -m tcp --dport 25 -j DROP
COMMIT
`,
  asks: ({ ruleset }) => neededServices(ruleset).map(({ packets }) => packets),
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    const output = table?.chains.get('OUTPUT');
    if (table === undefined || output === undefined || !dropsTheRest(output)) return;
    const pipeline = cx.pipeline();
    if (pipeline === undefined) return;
    const broken = brokenServices(cx, table, pipeline);
    if (broken.length === 0) return;
    const severity = order[Math.max(...broken.map(one => order.indexOf(one.severity)))] ?? 'warning';
    yield {
      span: output.line === 0 ? table.span : output.span,
      severity,
      message: `OUTPUT drops by default, and this cannot get out: ${broken.map(one => one.name).join(', ')}`,
      because: becauseOf(cx.ruleset, broken),
      ...witnessOf(broken),
      help: `let out what this host needs: ${broken.map(one => `-A OUTPUT ${one.rule}`).join('; ')}`,
    };
  },
});
