import { pipeline, question, firstPacket, reachThrough, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import type { RuleAt } from '../packet-space/answers.js';
import type { Ruleset, Table } from '../model/ruleset.js';
import { all, type Constraint, type Range } from '../packet/constraint.js';
import { acceptsAll } from './shared/accepting.js';
import { deciderBecause } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { holdsForAnybody } from './shared/luck.js';
import { namedPorts, type NamedPorts } from './shared/named-ports.js';
import type { Facts } from './shared/outside.js';
import { rulesetAt } from './shared/paces.js';
import { firstTo, isForSomebody, strangers } from './shared/strangers.js';
import { isUnprotected } from './unprotected-family.js';
import { stepOf } from '../witness/step.js';

const names = { ipv4: 'IPv4', ipv6: 'IPv6' } as const;

/** What a family needs for itself: its way of giving addresses. */
const ofOneFamily: ReadonlySet<string> = new Set(['udp/67', 'udp/68', 'udp/546', 'udp/547']);
const giving = [67, 68, 69, 546, 547, 548];
/** Of a rule, so many ports and ranges that may fare differently are asked about. */
const mostParts = 256;

/** Where ports begin that some rule tells from those before them. */
function bounds(rulesets: readonly Ruleset[]): readonly number[] {
  const found = new Set(giving);
  for (const ruleset of rulesets) for (const [name, { chains }] of ruleset.tables) for (const { rules } of chains.values()) for (const rule of rules) {
    for (const { low, high } of namedPorts(ruleset, name, rule)?.ranges ?? []) found.add(Number(low)).add(Number(high) + 1);
  }
  return [...found].sort((a, b) => a - b);
}

interface Ports {
  readonly low: number;
  readonly high: number;
}

/** Parts of the ranges, in each of which all ports fare alike. */
function partsOf(ranges: readonly Range[], cuts: readonly number[]): readonly Ports[] {
  return ranges.flatMap(range => {
    const [low, high] = [Number(range.low), Number(range.high)];
    const starts = [low, ...cuts.filter(one => low < one && one <= high)];
    return starts.map((start, i) => ({ low: start, high: (starts[i + 1] ?? high + 1) - 1 }));
  });
}

/** Neighbours joined. */
function joined(parts: readonly Opening[]): readonly Ports[] {
  const out: Ports[] = [];
  for (const { ports: { low, high } } of parts) {
    const before = out.at(-1);
    if (before?.high === low - 1) out.splice(-1, 1, { low: before.low, high });
    else out.push({ low, high });
  }
  return out;
}

interface Other {
  readonly facts: Facts;
  readonly pipeline: Pipeline;
  /** As of `bounds`, of both families. */
  readonly cuts: readonly number[];
}

function otherOf(cx: CheckContext): Other | undefined {
  const sibling = cx.sibling();
  if (sibling?.tables.get('filter')?.chains.get('INPUT') === undefined) return undefined;
  // A limit keeps nobody out.
  const ruleset = rulesetAt(sibling, 'patient');
  const whole = pipeline(ruleset);
  return whole === undefined ? undefined : { facts: { ruleset, settings: cx.settings, host: cx.host, sibling: () => cx.ruleset }, pipeline: whole, cuts: bounds([cx.ruleset, ruleset]) };
}

interface Opening {
  readonly ports: Ports;
  readonly found: Sighting;
  readonly packets: Constraint;
  readonly certainty: 'certain' | 'possible';
}

/** Ports that a rule opens to strangers and that the other family opens to none. */
function openings(cx: CheckContext, whole: Pipeline, { rule }: RuleAt, { protocol, ranges }: NamedPorts, other: Other): readonly Opening[] {
  const parts = partsOf(ranges, other.cuts);
  if (parts.length > mostParts) cx.undecided();
  return parts.slice(0, mostParts).flatMap((ports): readonly Opening[] => {
    const port = ports.low;
    if (ofOneFamily.has(`${protocol}/${String(port)}`)) return [];
    const packets = all([strangers(cx), firstTo(protocol, [port])]);
    const answer = reachThrough(whole, rule, { packets, path: 'in', first: true, passes: true });
    const certainty = answer.kind === 'live' ? holdsForAnybody(whole, answer.found) : 'no';
    if (answer.kind !== 'live' || certainty === 'no') return [];
    const there = question(other.pipeline, 'in', all([strangers(other.facts), firstTo(protocol, [port])]), 'accept', undefined, true);
    if (there.kind === 'undecided') cx.undecided();
    return there.kind === 'no' ? [{ ports, found: answer.found, packets, certainty }] : [];
  });
}

/** A rule that opens ports to strangers that the other family opens to none. */
interface Opener {
  readonly at: RuleAt;
  readonly protocol: NamedPorts['protocol'];
  readonly opened: readonly [Opening, ...Opening[]];
}

/** More than so many ports and ranges are counted, and not named. */
const mostNamed = 8;

function portsOf(openers: readonly Opener[]): string {
  const named = openers.flatMap(({ protocol, opened }) => joined(opened).map(({ low, high }) => `${protocol}/${String(low)}${low === high ? '' : `-${String(high)}`}`));
  const more = named.length - mostNamed;
  return more > 1 ? `${named.slice(0, mostNamed).join(', ')} and ${String(more)} more` : named.join(', ');
}

function report(cx: CheckContext, whole: Pipeline, openers: readonly [Opener, ...Opener[]]): Report {
  const [{ at, opened: [first] }] = openers;
  const { family } = cx.ruleset;
  const other = family === 'ipv6' ? 'ipv4' : 'ipv6';
  const { sample } = firstPacket(whole, first.found, first.packets);
  return {
    at, severity: family === 'ipv6' ? 'warning' : 'info', alike: openers.length,
    certainty: openers.every(({ opened }) => opened.every(one => one.certainty === 'certain')) ? 'certain' : 'possible',
    message: `${names[family]} lets anybody in to ${portsOf(openers)}, and ${names[other]} does not`,
    because: openers.map(one => deciderBecause(cx.ruleset, one.at, `lets them in by ${names[family]}`)),
    witness: [stepOf(sample, sample.in ?? 'eth0')], shows: [{ at: 'filter:INPUT', fate: 'passes', matches: [referenceOf(at)] }],
    help: `let in the same people by both: name them here (-s NETWORK), or open ${portsOf(openers).includes(',') ? 'them' : 'it'} in ${names[other]} as well`,
  };
}

/** The rules that let in strangers whom no rule of the other family lets in. */
function openersOf(patient: CheckContext, table: Table, otherOne: () => Other | undefined): readonly Opener[] {
  const candidates = patient.rules(table).flatMap(at => {
    const ports = acceptsAll(table, at.rule) && !isForSomebody(at.rule) ? namedPorts(patient.ruleset, table.name, at.rule) : undefined;
    return ports === undefined ? [] : [{ at, ports }];
  });
  const [whole, other] = candidates.length === 0 ? [] : [patient.pipeline(), otherOne()];
  if (whole === undefined || other === undefined) return [];
  return candidates.flatMap(({ at, ports }): readonly Opener[] => {
    const [first, ...more] = openings(patient, whole, at, ports, other);
    return first === undefined ? [] : [{ at, protocol: ports.protocol, opened: [first, ...more] }];
  });
}

const open = (family: 'ipv4' | 'ipv6', rule: string): string => `# Generated by ${family === 'ipv4' ? 'iptables' : 'ip6tables'}-save v1.8.9
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p ${family === 'ipv4' ? 'icmp' : 'ipv6-icmp'} -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A INPUT ${rule}-p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`;

export const familyParity = defineCheck({
  name: 'family-parity',
  kind: 'exposure',
  severity: 'warning',
  auditor: 'warning',
  summary: 'Strangers are let in by one of IPv4 and IPv6, and not by the other',
  why: `Services listen on both families, and people choose the one that works. Who restricts a port to some networks in IPv4 and opens it to everybody
in IPv6 has restricted nothing. It is reported where the rules of both are known, of rules of INPUT that name ports and let in strangers
whom no rule of the other family lets in: for each of them a warning where IPv6 is the open one, for all of them together an info where it is IPv4.`,
  bad: { rules: open('ipv6', ''), sibling: open('ipv4', '-s 192.0.2.64/27 ') },
  good: { rules: open('ipv6', '-s 2001:db8:5::/48 '), sibling: open('ipv4', '-s 192.0.2.64/27 ') },
  nearMiss: { rules: open('ipv6', ''), sibling: open('ipv4', '-m hashlimit --hashlimit-upto 3/min --hashlimit-mode srcip --hashlimit-name ssh ') },
  * run(cx) {
    const patient = cx.at('patient');
    const table = patient.ruleset.tables.get('filter');
    if (table === undefined || cx.sibling() === undefined || isUnprotected(cx)) return;
    const [first, ...others] = openersOf(patient, table, () => otherOf(cx));
    const whole = first === undefined ? undefined : patient.pipeline();
    if (first === undefined || whole === undefined) return;
    // What is closed in IPv6 is mostly closed altogether, and that is one matter.
    if (cx.ruleset.family === 'ipv4') yield report(patient, whole, [first, ...others]);
    else for (const one of [first, ...others]) yield report(patient, whole, [one]);
  },
});
