import type { Ruleset, Table } from '../model/ruleset.js';
import type { Decider, PacketSample } from '../packet-space/answers.js';
import { reachWith } from '../packet-space/index.js';
import { opens, pipeline as pipelineOf } from '../packet-space/pipeline/index.js';
import { addressConstraint, constraintsOf } from '../packet-space/rule-constraint.js';
import { all, always, ctstates, is, masked, within, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { printAddress } from '../values/address.js';
import { parseAddressMask } from '../values/address-mask.js';
import { Problem } from '../values/value.js';
import { stepOf } from '../witness/step.js';
import { rangesOf } from './shared/asked.js';
import { betweenHosts } from './shared/between-hosts.js';
import { deciderBecause, helpElsewhere } from './shared/deciders.js';
import { dropsTheRest } from './shared/default-drop.js';
import { defineCheck, type CheckContext, type Report } from './define-check.js';
import { notLoopback, statesOf } from './shared/replies.js';
import { defaultSettings, type Settings } from './settings.js';
import { effectOf } from './shared/targets.js';

/** Who manages the host, and from where. */
interface Peer {
  readonly words: string;
  readonly source: Constraint;
  /** One of its addresses. */
  readonly src: string | undefined;
}

const anybody: Peer = { words: 'anywhere', source: always, src: undefined };

/** Peers of this family; of none that are named at all: anybody. */
function peersOf({ family }: Ruleset, { managementPeers }: Settings): readonly Peer[] {
  if (managementPeers.length === 0) return [anybody];
  return managementPeers.flatMap((words): Peer[] => {
    const parsed = parseAddressMask(words, family);
    return parsed instanceof Problem ? [] : [{ words, source: addressConstraint('src', parsed, family), src: printAddress(parsed.address) }];
  });
}

/** First packets to a port, whatever their flags. */
function firstTo(ruleset: Ruleset, port: number): Constraint {
  return all([is('protocol', protocolNumber.tcp), is('dport', port), is('fragment', 0), statesOf(ruleset).first, notLoopback]);
}

/** What connects there: no client is given a port below these, though by one of them, as by -m tcp --sport 22, everything may get in. */
const clientPorts = within('sport', 1024, 65_535);

function connection(ruleset: Ruleset, port: number): Constraint {
  return all([firstTo(ruleset, port), clientPorts, masked('tcpFlags', 2, 63)]);
}

interface Lost {
  readonly peer: Peer;
  readonly port: number;
  readonly by: readonly Decider[];
}

function lostTo(cx: CheckContext): readonly Lost[] {
  const { ruleset, settings } = cx;
  const pipeline = cx.pipeline();
  return pipeline === undefined ? [] : settings.managementPorts.flatMap(port => peersOf(ruleset, settings).flatMap((peer): Lost[] => {
    const answer = opens(pipeline, 'in', all([connection(ruleset, port), peer.source]));
    if (answer.kind === 'undecided') cx.undecided();
    return answer.kind === 'no' ? [{ peer, port, by: answer.by }] : [];
  }));
}

function asksForPort(constraint: Constraint, port: number): boolean {
  switch (constraint.kind) {
    case 'within': return constraint.field === 'dport' && constraint.ranges.some(({ low, high }) => low === port && high === port);
    case 'all': case 'any': return constraint.of.some(one => asksForPort(one, port));
    default: return false;
  }
}

/** A rule for connections that have begun, and not for those that begin. */
function isForBegun(constraint: Constraint): boolean {
  return rangesOf(constraint, 'ctstate')?.every(({ low, high }) => high < ctstates.NEW || low > ctstates.NEW) === true;
}

/** A rule that some packet matches, if not one that begins a connection, is there to let the port in, unless from this host alone. Of one that none matches others speak. */
function isMeantToPass(cx: CheckContext, table: Table, port: number): boolean {
  const constraints = constraintsOf(cx.ruleset, table.name);
  return cx.rules(table).some(at => effectOf(at.rule) === 'accept' && asksForPort(constraints.of(at.rule), port)
    && reachWith(cx.space(), table, at, all([isForBegun(constraints.of(at.rule)) ? notLoopback : firstTo(cx.ruleset, port), betweenHosts(cx.ruleset.family)]), 'INPUT').kind === 'live');
}

/** Some other service is open to connections: it is a server. */
function isServer(cx: CheckContext): boolean {
  const pipeline = cx.pipeline();
  const packets = all([is('protocol', protocolNumber.tcp), masked('tcpFlags', 2, 63), is('fragment', 0), statesOf(cx.ruleset).first, notLoopback]);
  return pipeline !== undefined && opens(pipeline, 'in', packets).kind === 'yes';
}

/** Who manages the host may do it by the other family: its rules let all of that in. */
function isManagedOtherwise(cx: CheckContext, lost: readonly Lost[]): boolean {
  const sibling = cx.sibling();
  const other = sibling === undefined ? undefined : pipelineOf(sibling);
  return sibling !== undefined && other !== undefined && lost.every(({ port }) => opens(other, 'in', connection(sibling, port)).kind === 'yes');
}

/** Undefined: nobody said that the host is managed by this port, and nothing else looks as if it were. */
function severityOf(cx: CheckContext, table: Table, lost: readonly Lost[]): 'error' | 'info' | undefined {
  const { managementPeers, managementPorts } = cx.settings;
  const isSaid = managementPeers.length > 0 || managementPorts.join() !== defaultSettings.managementPorts.join();
  if (isSaid || lost.some(({ port }) => isMeantToPass(cx, table, port))) return 'error';
  return isServer(cx) && !isManagedOtherwise(cx, lost) ? 'info' : undefined;
}

function sampleOf({ peer: { src }, port }: Lost): PacketSample {
  return { protocol: protocolNumber.tcp, dport: port, sport: 40_000, tcpFlags: 2, ...src === undefined ? {} : { src } };
}

function report(cx: CheckContext, severity: 'error' | 'info', lost: readonly [Lost, ...Lost[]], place: Pick<Report, 'span'>): Report {
  const [first] = lost;
  const words = lost.map(({ peer, port }) => `tcp/${String(port)} from ${peer.words}`).join(', ');
  const deciders = new Map(lost.flatMap(({ by }) => by).map(one => [deciderBecause(cx.ruleset, one, 'drops it').rule, one]));
  const source = first.peer === anybody ? '' : `-s ${first.peer.words} `;
  return {
    ...place, severity,
    message: severity === 'error' ? `whoever manages this host is locked out: no connection to ${words} gets in`
      : `no connection to ${words} gets in: if this host is managed by ssh, loading these rules locks you out`,
    because: [...deciders.values()].map(one => deciderBecause(cx.ruleset, one, 'drops it')),
    witness: [stepOf(sampleOf(first), 'eth0')], shows: [{ fate: 'lost' }],
    help: `${severity === 'info' ? 'say by which ports it is managed (management: {ports: [22]} in iptables-lint.yaml), or ' : ''}${helpElsewhere('them', first.by) ?? `let them in: -I INPUT ${source}-p tcp -m tcp --dport ${String(first.port)} -j ACCEPT`}`,
  };
}

export const lockout = defineCheck({
  name: 'lockout',
  kind: 'conversations',
  severity: 'error',
  summary: 'Whoever manages the host cannot connect to it',
  why: `The rules take effect at once. Where they let nobody in to the port by which the host is managed, the next
connection fails, and often the one by which they were loaded is the last. In iptables-lint.yaml \`management.ports\` (22 unless
said otherwise) and \`management.peers\` (addresses or networks; unless said otherwise: from anywhere) say what must work.
Where nothing is said, and no rule opens port 22 either, it is told as an info for servers, unless the rules of the other family are known and let it in, and not at all for others.
Where the first packet gets in and the replies are lost, \`missing-established-return\` says so.`,
  bad: {
    settings: { managementPeers: ['192.0.2.0/24'] },
    rules: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT
COMMIT
`,
  },
  good: {
    settings: { managementPeers: ['192.0.2.0/24'] },
    rules: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT
COMMIT
`,
  },
  nearMiss: {
    settings: { managementPeers: ['192.0.2.7'], managementPorts: [2222] },
    rules: `*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 2222 -j REDIRECT --to-ports 22
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ssh - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ssh
-A ssh -m iprange --src-range 192.0.2.0-192.0.2.9 -j ACCEPT
COMMIT
`,
  },
  asks: ({ ruleset, settings }) => [...settings.managementPorts.map(port => connection(ruleset, port)), ...peersOf(ruleset, settings).map(({ source }) => source)],
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    const input = table?.chains.get('INPUT');
    if (table === undefined || input === undefined || cx.settings.managementPorts.length === 0) return;
    if (cx.settings.managementPeers.length === 0 && cx.ruleset.tables.size === 1 && !dropsTheRest(cx, table, 'INPUT')) return;
    const [first, ...others] = lostTo(cx);
    const severity = first === undefined ? undefined : severityOf(cx, table, [first, ...others]);
    if (first !== undefined && severity !== undefined) yield report(cx, severity, [first, ...others], { span: input.line === 0 ? table.span : input.span });
  },
});
