import { isUnresolved, type Table } from '../model/ruleset.js';
import type { Decider, PacketSample, RuleAt } from '../packet-space/answers.js';
import { ask, reachWith } from '../packet-space/index.js';
import { hooksOf } from '../packet-space/pipeline/read-ruleset.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, is, masked, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { fullMask } from '../values/address.js';
import { stepOf } from '../witness/step.js';
import { acceptsAll } from './shared/accepting.js';
import { rangesOf, without } from './shared/asked.js';
import { deciderBecause } from './shared/deciders.js';
import { defineCheck, type CheckContext, type Report } from './define-check.js';
import { ownerOf } from './shared/owners.js';
import { notLoopback, statesOf } from './shared/replies.js';
import { serviceOfGroup, serviceOfPorts, type Service } from './shared/spoken.js';
import { othersTold, theSame } from './shared/the-same.js';

type FilterHook = 'INPUT' | 'FORWARD' | 'OUTPUT';
const ways = { INPUT: 'in', FORWARD: 'through', OUTPUT: 'out' } as const;
const names: ReadonlyMap<number, 'TCP' | 'UDP'> = new Map([[protocolNumber.tcp, 'TCP'], [protocolNumber.udp, 'UDP']]);

/** A rule for packets that nobody sends, and the service that it was meant for. */
interface Mistaken {
  readonly at: RuleAt;
  readonly service: Service;
  readonly written: 'TCP' | 'UDP';
  readonly lost: Lost;
}

/** So many rules are asked about at a hook; in large tables, where each question takes longer, so many that with them times the rules of the table it comes to `work`. */
const questionLimits = { most: 256, least: 16, work: 720_000 };
/** The services of a rule for TCP or UDP that speak another protocol. */
function servicesOf({ ruleset }: CheckContext, asks: Constraint): readonly Service[] {
  const [only, ...others] = rangesOf(asks, 'protocol') ?? [];
  const protocol = Number(only?.low);
  if (only === undefined || others.length > 0 || only.low !== only.high || !names.has(protocol)) return [];
  const group = serviceOfGroup(rangesOf(asks, 'dst'), ruleset.family);
  return group === undefined ? (rangesOf(asks, 'dport') ?? []).flatMap(ports => serviceOfPorts(ports, protocol) ?? []) : [group];
}

/** Whether some rule is for this port. */
function isNamed(cx: CheckContext, table: Table, port: number): boolean {
  const constraints = constraintsOf(cx.ruleset, table.name);
  return cx.rules(table).some(({ rule }) => rangesOf(constraints.of(rule), 'dport')?.some(({ low, high }) => low <= port && port <= high && Number(high) - Number(low) <= 1) === true);
}

/** Of what speaks both, one host may need the other alone, as to copy a zone of DNS; and what this host itself needs is a matter of output-drop-breakage. */
function isMeantSo(cx: CheckContext, table: Table, hook: FilterHook, { rule: { source } }: RuleAt, { isForBoth, beside }: Service): boolean {
  if (beside !== undefined && !isNamed(cx, table, beside)) return true;
  const { family } = cx.ruleset;
  const isFromOne = source !== undefined && !source.negated && !isUnresolved(source.value) && source.value.mask === fullMask(family);
  return isForBoth === true && (hook === 'OUTPUT' || isFromOne);
}

/** First packets of the service, from where and to where the rule is for. */
function meant({ ruleset }: CheckContext, asks: Constraint, { speaks, ports }: Service): Constraint {
  return all([
    is('protocol', speaks), ...speaks === protocolNumber.tcp ? [masked('tcpFlags', 2, 63)] : [], ...ports === undefined ? [] : [{ kind: 'within', field: 'dport', ranges: [ports] } as const],
    is('fragment', 0), statesOf(ruleset).first, notLoopback, ...without(asks, ['protocol', 'dport', 'sport', 'tcpFlags', 'ctstate']),
  ]);
}

interface Lost {
  readonly by: readonly Decider[];
  readonly witness: PacketSample;
}

function lostOf(cx: CheckContext, table: Table, hook: FilterHook, packets: Constraint): Lost | undefined {
  const passes = ask(cx.space(), table, hook, packets, ['accept', 'queue', 'unknown']);
  if (passes.kind === 'undecided') cx.undecided();
  const lost = passes.kind === 'no' ? ask(cx.space(), table, hook, packets, ['drop', 'reject']) : undefined;
  return passes.kind === 'no' && lost?.kind === 'yes' ? { by: passes.by, witness: lost.witness } : undefined;
}

/** A rule that accepts TCP or UDP, what it asks, and a service that speaks another protocol. */
interface Candidate extends Pick<Mistaken, 'at' | 'service' | 'written'> {
  readonly asks: Constraint;
}

function candidates(cx: CheckContext, table: Table): readonly Candidate[] {
  const constraints = constraintsOf(cx.ruleset, table.name);
  return cx.rules(table).flatMap((at): readonly Candidate[] => {
    const { protocol, matches, destination } = at.rule;
    const written = protocol?.negated === false ? names.get(Number(protocol.value)) : undefined;
    if (written === undefined || !acceptsAll(table, at.rule) || (matches.length === 0 && destination === undefined)) return [];
    const asks = constraints.of(at.rule);
    const services = servicesOf(cx, asks);
    return services.length === 0 || ownerOf(cx.ruleset, at) !== undefined ? [] : services.map(service => ({ at, service, written, asks }));
  });
}

/** At a hook, by service. */
function mistakenAt(cx: CheckContext, table: Table, hook: FilterHook, some: readonly Candidate[]): Iterable<readonly [Mistaken, ...Mistaken[]]> {
  const found = new Map<string, [Mistaken, ...Mistaken[]]>();
  const hooks = hooksOf(table);
  const asked = some.filter(({ at, service }) => hooks.get(at.chain)?.includes(hook) === true && !isMeantSo(cx, table, hook, at, service));
  const limit = Math.min(questionLimits.most, Math.max(questionLimits.least, Math.floor(questionLimits.work / cx.rules(table).length)));
  if (asked.length > limit) cx.undecided();
  for (const { at, service, written, asks } of asked.slice(0, limit)) {
    if (reachWith(cx.space(), table, at, all([statesOf(cx.ruleset).first, notLoopback]), hook).kind !== 'live') continue;
    const lost = lostOf(cx, table, hook, meant(cx, asks, service));
    if (lost === undefined) continue;
    const known = found.get(service.name);
    if (known === undefined) found.set(service.name, [{ at, service, written, lost }]);
    else known.push({ at, service, written, lost });
  }
  return found.values();
}

function report(cx: CheckContext, hook: FilterHook, { at, service, written, lost: { by, witness } }: Mistaken, others: readonly Mistaken[]): Report {
  const { name, speaks, ports, isForBoth } = service;
  const spoken = names.get(speaks);
  const own = spoken ?? `protocol ${String(speaks)}`;
  const port = ports === undefined ? '' : ` ${ports.low === ports.high ? String(ports.low) : `${String(ports.low)}-${String(ports.high)}`}`;
  return {
    at, certainty: 'possible', alike: others.length + 1, ...isForBoth === true ? { severity: 'info' as const } : {},
    message: `this rule ${others.length === 0 ? 'lets' : `and ${String(others.length)} more let`} ${written}${port} ${ways[hook]}, but ${name} ${ports === undefined ? 'is a protocol of its own' : isForBoth === true ? `asks by ${own} first` : `speaks ${own} alone`}, and that is dropped`,
    because: [
      ...by.map(one => deciderBecause(cx.ruleset, one, `drops ${own}${port}`)),
      ...theSame(others.slice(0, othersTold).map(one => one.at)),
    ],
    witness: [stepOf(witness, hook === 'OUTPUT' ? 'local' : witness.in ?? 'eth0')],
    shows: [{ at: `filter:${hook}`, fate: 'lost' }],
    help: isForBoth === true ? `write the same for -p ${own.toLowerCase()} as well` : `write -p ${spoken?.toLowerCase() ?? String(speaks)} in place of -p ${written.toLowerCase()}`,
  };
}

const host = (rule: string, policy = 'ACCEPT'): string => `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ${policy} [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
${rule}
COMMIT
`;

export const otherProtocol = defineCheck({
  name: 'other-protocol',
  kind: 'conversations',
  severity: 'warning',
  summary: 'A rule lets one protocol pass to a port whose service speaks another',
  why: `A port is one of TCP or one of UDP, and the two have nothing to do with each other: that tcp/51820 is open does not help WireGuard, which speaks UDP alone. Such
a rule looks right, and the service cannot be reached. It is reported for ports of services that speak one protocol alone, where a rule of table filter lets the other pass to that port, by itself or in a
list, and no packet of the service passes from where the rule is for. So are rules for TCP or UDP to a group (\`-d 224.0.0.18\`) to which VRRP, OSPF, EIGRP or PIM send, which have neither. It is possible only, for
whoever runs something else may have chosen that port. DNS speaks both, and asks by UDP first: of a rule for TCP alone it is an info, unless it is for one host, which may copy a zone.`,
  bad: host('-A INPUT -p tcp -m tcp --dport 51820 -m conntrack --ctstate NEW -j ACCEPT'),
  good: host('-A INPUT -p udp -m udp --dport 51820 -j ACCEPT'),
  nearMiss: host('-A INPUT -p tcp -m multiport --dports 53,51820 -m conntrack --ctstate NEW -j ACCEPT\n-A INPUT -p udp -m multiport --dports 53,51820 -j ACCEPT'),
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined) return;
    const some = candidates(cx, table);
    for (const hook of ['INPUT', 'FORWARD', 'OUTPUT'] as const) {
      for (const [first, ...others] of mistakenAt(cx, table, hook, some)) yield report(cx, hook, first, others);
    }
  },
});
