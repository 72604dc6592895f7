import { isUnresolved, type Rule, type Ruleset, type Table } from '../model/ruleset.js';
import type { Decider, PacketSample, RuleAt } from '../packet-space/answers.js';
import { ask, reachWith } from '../packet-space/index.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, asksFor, is, type Ask, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { fullMask } from '../values/address.js';
import { stepOf } from '../witness/step.js';
import { rangesOf, without } from './shared/asked.js';
import { deciderBecause, deciderReference, isPolicy } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { namedPorts, namesAny, type NamedPorts } from './shared/named-ports.js';
import { notLoopback, statesOf } from './shared/replies.js';
import { firstTo } from './shared/strangers.js';
import { effectOf, hasUnknown } from './shared/targets.js';

/** What is spoken over UDP. */
interface UdpService {
  readonly port: number;
  readonly name: string;
  /** Over TCP as well, where UDP does not do. */
  readonly isForBoth?: true;
}

const services: readonly UdpService[] = [
  { port: 53, name: 'DNS', isForBoth: true }, { port: 67, name: 'DHCP' }, { port: 68, name: 'DHCP' }, { port: 69, name: 'TFTP' }, { port: 123, name: 'NTP' }, { port: 500, name: 'IKE' },
  { port: 1701, name: 'L2TP' }, { port: 4500, name: 'IPsec' }, { port: 4789, name: 'VXLAN' }, { port: 51_820, name: 'WireGuard' },
];
/** `output-drop-breakage` says of these that they cannot get out. */
const toldOfOutput = new Set([53, 67, 68, 123]);

const ways = { INPUT: 'in', FORWARD: 'through', OUTPUT: 'out' } as const;
type FilterHook = keyof typeof ways;
/** So many rules are asked about at a hook. */
const questionLimit = 64;

/** It is for one host: that one may copy a zone, and ask elsewhere. */
function isFromOne({ source }: Rule, { family }: Ruleset): boolean {
  return source !== undefined && !source.negated && !isUnresolved(source.value) && source.value.mask === fullMask(family);
}

/** The services that a rule for TCP means: ports that it names one by one, or two together. */
function meantBy({ ruleset }: CheckContext, { table, rule }: RuleAt): readonly UdpService[] {
  const named = effectOf(rule) === 'accept' ? namedPorts(ruleset, table, rule) : undefined;
  if (named?.protocol !== 'tcp') return [];
  const single = named.ranges.filter(({ low, high }) => Number(high) - Number(low) <= 1);
  return services.filter(({ port, isForBoth }) => namesAny({ ...named, ranges: single }, port, port) && !(isForBoth === true && isFromOne(rule, ruleset)));
}

/** A list in which ports may be. */
function isListed(one: Ask): boolean {
  return one.kind === 'atom' && /^set .*\bdst\b/u.test(one.name);
}

/** What the rules of all tables say of ports by UDP. Whoever names one there has thought of it. */
function namedByUdp({ ruleset, rules }: CheckContext): readonly NamedPorts[] {
  return [...ruleset.tables.values()].flatMap(table => {
    const constraints = constraintsOf(ruleset, table.name);
    return rules(table).filter(({ rule }) => rule.protocol?.value !== protocolNumber.tcp)
      .flatMap(({ rule }) => asksFor(constraints.of(rule), isListed) ? { protocol: 'udp', ranges: [{ low: 0, high: 65_535 }] } : namedPorts(ruleset, table.name, rule) ?? []);
  });
}

/** A rule for TCP, services that it is for, and what drops UDP to them. */
interface Closed {
  readonly at: RuleAt;
  readonly services: readonly UdpService[];
  readonly by: Decider;
  readonly witness: PacketSample;
}

/** What a rule asks besides the protocol and what is peculiar to it, as far as it is known. */
function othersAsked(asks: Constraint): readonly Constraint[] {
  return without(asks, ['protocol', 'dport', 'sport', 'tcpFlags', 'ctstate', 'fragment']).filter(one => !hasUnknown(one));
}

/** Of what comes to a rule for TCP, what is dropped where it is UDP, by no rule that speaks of its port. */
function closedBehind(cx: CheckContext, table: Table, hook: FilterHook, at: RuleAt, meant: readonly UdpService[]): Closed | undefined {
  const constraints = constraintsOf(cx.ruleset, table.name);
  const ports = meant.map(({ port }) => port);
  const first = (protocol: 'tcp' | 'udp'): Constraint => all([firstTo(protocol, ports), is('fragment', 0), statesOf(cx.ruleset).first, notLoopback, ...othersAsked(constraints.of(at.rule))]);
  if (reachWith(cx.space(), table, at, first('tcp'), hook).kind !== 'live') return undefined;
  const answer = ask(cx.space(), table, hook, first('udp'), ['drop', 'reject']);
  if (answer.kind === 'undecided') cx.undecided();
  if (answer.kind !== 'yes' || !answer.certain || (!isPolicy(answer.by) && rangesOf(constraints.of(answer.by.rule), 'dport') !== undefined)) return undefined;
  return { at, services: meant, by: answer.by, witness: answer.witness };
}

/** All of them at a hook, those together that are for the same services. */
function* closedAt(cx: CheckContext, table: Table, hook: FilterHook, unthought: readonly UdpService[]): Generator<readonly [Closed, ...Closed[]], void> {
  const alike = new Map<string, [Closed, ...Closed[]]>();
  let left = questionLimit;
  for (const at of cx.rules(table)) {
    const meant = meantBy(cx, at).filter(one => unthought.includes(one) && !(hook === 'OUTPUT' && toldOfOutput.has(one.port)));
    if (meant.length === 0) continue;
    if (left-- <= 0) {
      cx.undecided();
      break;
    }
    const found = closedBehind(cx, table, hook, at, meant);
    if (found === undefined) continue;
    const key = [deciderReference(found.by), ...meant.map(({ port }) => port)].join(' ');
    const known = alike.get(key);
    if (known === undefined) alike.set(key, [found]);
    else known.push(found);
  }
  yield* alike.values();
}

function report({ ruleset }: CheckContext, hook: FilterHook, [{ at, services: meant, by, witness }, ...others]: readonly [Closed, ...Closed[]]): Report {
  const named = meant.map(({ port, name }) => `${String(port)} (${name})`).join(', ');
  const isForBoth = meant.every(one => one.isForBoth);
  return {
    at, certainty: 'possible', alike: others.length + 1,
    message: `this rule ${others.length === 0 ? 'lets' : `and ${String(others.length)} more let`} TCP to port${meant.length === 1 ? '' : 's'} ${named} ${ways[hook]}, but UDP is dropped, ${isForBoth ? 'by which clients ask first' : 'which is what is spoken there'}`,
    because: [deciderBecause(ruleset, by, 'drops the same by UDP'), ...others.map(one => ({ rule: referenceOf(one.at), line: one.at.rule.line, message: 'for TCP alone as well' }))],
    witness: [stepOf(witness, hook === 'OUTPUT' ? 'local' : witness.in ?? 'eth0')], shows: [{ at: `filter:${hook}`, fate: 'lost', by: [deciderReference(by)] }],
    help: isForBoth ? 'write the same rule for -p udp as well' : 'write -p udp (and -m udp) for -p tcp, if it is meant for that',
  };
}

const host = (...rules: readonly string[]): string => `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
${rules.map(rule => `-A INPUT ${rule} -j ACCEPT\n`).join('')}COMMIT
`;

export const udpServiceOverTcp = defineCheck({
  name: 'udp-service-over-tcp',
  kind: 'conversations',
  severity: 'info',
  mutedIn: 'generated',
  summary: 'A port is open for TCP, and what is spoken there is UDP',
  why: `WireGuard, IPsec (500, 4500), L2TP, VXLAN, NTP, DHCP and TFTP are spoken over UDP, and DNS is asked over UDP first. A rule for
the same port of TCP lets nothing of it pass: the port looks open in the list, and the tunnel never comes up. It is reported where
a rule for TCP names such a port, no rule of the file says anything of that port by UDP, and UDP to it is dropped as all the rest.
Nobody knows offline what listens there, so that it is possible only: TCP to such a port may be another service.`,
  bad: host('-p tcp -m tcp --dport 51820'),
  good: host('-p udp -m udp --dport 51820'),
  nearMiss: host('-p tcp -m tcp --dport 53', '-s 192.0.2.0/24 -p udp -m udp --dport 53'),
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined || !cx.rules(table).some(at => meantBy(cx, at).length > 0)) return;
    const thoughtOf = namedByUdp(cx);
    const unthought = services.filter(({ port }) => !thoughtOf.some(named => namesAny(named, port, port)));
    const told = new Set<Rule>();
    for (const hook of ['INPUT', 'FORWARD', 'OUTPUT'] as const) for (const [first, ...others] of closedAt(cx, table, hook, unthought)) {
      if (!told.has(first.at.rule)) yield report(cx, hook, [first, ...others]);
      told.add(first.at.rule);
    }
  },
});
