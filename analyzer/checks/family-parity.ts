import { pipeline, question, firstPacket, reachThrough, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import type { Decider, RuleAt } from '../packet-space/answers.js';
import type { Rule, Ruleset, Table } from '../model/ruleset.js';
import { all, always, type Constraint, type Range } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { acceptsAll } from './shared/accepting.js';
import { deciderBecause, deciderReference, isPolicy, placeOf } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { holdsForAnybody } from './shared/luck.js';
import { namedPorts, type NamedPorts } from './shared/named-ports.js';
import type { Facts } from './shared/outside.js';
import { forUnlisted, rulesetAt } from './shared/paces.js';
import { firstTo, isForSomebody, strangers } from './shared/strangers.js';
import { refuses } from './shared/targets.js';
import { letsInUnspoken } from './shared/unspoken.js';
import { isUnprotected, usesIpv6 } from './unprotected-family.js';
import { stepOf } from '../witness/step.js';

const names = { ipv4: 'IPv4', ipv6: 'IPv6' } as const;

/** What a family has for itself: its way of giving addresses; NetBIOS, which IPv6 does not carry. */
const ofOneFamily: ReadonlySet<string> = new Set(['udp/67', 'udp/68', 'udp/546', 'udp/547', 'udp/137', 'udp/138', 'tcp/139']);
const giving = [67, 68, 69, 137, 138, 139, 140, 546, 547, 548];
/** Of a rule, so many ports and ranges that may fare differently are asked about. */
const mostParts = 256;
/** Of all rules that refuse, so many. */
const mostRefused = 4096;

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
  /** The same where it asks for sets, to those who are in none. */
  readonly forUnlisted: Pipeline | undefined;
  /** As of `bounds`, of both families. */
  readonly cuts: readonly number[];
}

function otherOf(cx: CheckContext): Other | undefined {
  const sibling = cx.sibling();
  if (sibling?.tables.get('filter')?.chains.get('INPUT') === undefined) return undefined;
  // A limit keeps nobody out.
  const ruleset = rulesetAt(sibling, 'patient');
  const [whole, unlisted] = [pipeline(ruleset), forUnlisted(ruleset)];
  return whole === undefined ? undefined : { facts: { ruleset, settings: cx.settings, host: cx.host, sibling: () => cx.ruleset }, pipeline: whole, forUnlisted: unlisted === ruleset ? undefined : pipeline(unlisted), cuts: bounds([cx.ruleset, ruleset]) };
}

interface Opening {
  readonly ports: Ports;
  readonly found: Sighting;
  readonly packets: Constraint;
  readonly certainty: 'certain' | 'possible';
}

/** Whether the other family lets none of them in: `possible`, where none who is in no set. */
function keepsOut(cx: CheckContext, { pipeline: there, forUnlisted: unlisted }: Other, packets: Constraint): 'certain' | 'possible' | 'no' {
  const lets = (one: Pipeline): 'yes' | 'no' | 'undecided' => question(one, 'in', packets, 'accept', undefined, true).kind;
  const answers = [lets(there)];
  if (answers[0] === 'yes' && unlisted !== undefined) answers.push(lets(unlisted));
  if (answers.includes('undecided')) cx.undecided();
  return answers.at(-1) !== 'no' ? 'no' : answers.length === 1 ? 'certain' : 'possible';
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
    const kept = keepsOut(cx, other, all([strangers(other.facts), firstTo(protocol, [port])]));
    return kept === 'no' ? [] : [{ ports, found: answer.found, packets, certainty: kept === 'certain' ? certainty : 'possible' }];
  });
}

interface Opened {
  readonly protocol: NamedPorts['protocol'];
  readonly opened: readonly Opening[];
}

/** A rule that opens ports to strangers that the other family opens to none. */
interface Opener extends Opened {
  readonly at: RuleAt;
  readonly opened: readonly [Opening, ...Opening[]];
}

/** More than so many ports and ranges are counted, and not named. */
const mostNamed = 8;

function portsOf(openers: readonly Opened[]): string {
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

/** A port that a rule of the other family closes to strangers, and that here nothing but the policy or a rule for whatever comes speaks of. */
interface LeftOpen extends Opening {
  readonly protocol: NamedPorts['protocol'];
  /** Where the other family closes it by one interface only. */
  readonly by: string | undefined;
  readonly decider: Decider;
}

/** The ports that a rule refuses, where it says which; else all. */
function refusedPorts(ruleset: Ruleset, rule: Rule): readonly NamedPorts[] {
  const named = namedPorts(ruleset, 'filter', rule);
  if (named !== undefined) return [named];
  const protocols = (['tcp', 'udp'] as const).filter(one => rule.protocol === undefined || (!rule.protocol.negated && rule.protocol.value === protocolNumber[one]));
  return protocols.map(protocol => ({ protocol, ranges: [{ low: 1, high: 65_535 }] }));
}

/** What one family's rules of INPUT refuse to strangers, and this one's let in though none of them names it. */
function* leftOpen(cx: CheckContext, whole: Pipeline, other: Other): Generator<LeftOpen, void> {
  const { facts, pipeline: there, cuts } = other;
  const asked = new Set<string>();
  for (const { rules } of facts.ruleset.tables.get('filter')?.chains.values() ?? []) for (const rule of rules) {
    if ((!refuses(rule) && (rule.target.kind !== 'chain' || namedPorts(facts.ruleset, 'filter', rule) === undefined)) || isForSomebody(rule)) continue;
    const by = rule.inInterface === undefined || rule.inInterface.negated ? undefined : rule.inInterface.value;
    const link: Constraint = by === undefined ? always : { kind: 'interface', field: 'in', ...by };
    const theirs = all([strangers(facts), link]);
    if (reachThrough(there, rule, { packets: theirs, path: 'in', first: true }).kind !== 'live') continue;
    for (const { protocol, ranges } of refusedPorts(facts.ruleset, rule)) for (const ports of partsOf(ranges, cuts)) {
      const [name, key] = [by === undefined ? undefined : `${by.name}${by.prefix ? '+' : ''}`, `${protocol}/${String(ports.low)}`];
      if (ofOneFamily.has(key) || asked.has(`${key} ${name ?? ''}`)) continue;
      if (asked.size >= mostRefused) {
        cx.undecided();
        return;
      }
      asked.add(`${key} ${name ?? ''}`);
      const first = firstTo(protocol, [ports.low]);
      const packets = all([strangers(cx, by === undefined ? undefined : link), first]);
      const here = question(whole, 'in', packets, 'accept', undefined, true);
      if (here.kind === 'undecided') cx.undecided();
      if (here.kind !== 'yes' || here.by === undefined || (!isPolicy(here.by) && namedPorts(cx.ruleset, 'filter', here.by.rule) !== undefined)) continue;
      const certainty = holdsForAnybody(whole, here.found);
      const kept = certainty === 'no' ? 'no' : keepsOut(cx, other, all([theirs, first]));
      if (certainty !== 'no' && kept !== 'no') yield { ports, found: here.found, packets, certainty: kept === 'certain' ? certainty : 'possible', protocol, by: name, decider: here.by };
    }
  }
}

/** One finding for all that the same policy or rule lets in by the same interface. */
function* reportLeftOpen(cx: CheckContext, whole: Pipeline, other: Other): Generator<Report, void> {
  const found = new Map<string, [LeftOpen, ...LeftOpen[]]>();
  for (const one of leftOpen(cx, whole, other)) {
    const key = `${deciderReference(one.decider)} ${one.by ?? ''}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, [one]);
    else known.push(one);
  }
  const [own, there] = [names[cx.ruleset.family], names[other.facts.ruleset.family]];
  for (const all of found.values()) {
    const [{ decider, by, packets, found: passes }] = all;
    const { sample } = firstPacket(whole, passes, packets);
    const ports = portsOf((['tcp', 'udp'] as const).map(protocol => ({ protocol, opened: all.filter(one => one.protocol === protocol).sort((a, b) => a.ports.low - b.ports.low) })));
    yield {
      ...placeOf(cx.ruleset, decider), certainty: all.every(one => one.certainty === 'certain') ? 'certain' : 'possible',
      message: `${own} lets anybody in to ${ports}${by === undefined ? '' : ` by ${by}`}, and ${there} has rules against that`,
      because: [deciderBecause(cx.ruleset, decider, `lets them in by ${own}`)],
      witness: [stepOf(sample, sample.in ?? 'eth0')], shows: [{ at: 'filter:INPUT', fate: 'passes', by: [deciderReference(decider)] }],
      help: `drop here what ${there} drops, or end both with -P INPUT DROP and name what is wanted`,
    };
  }
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
whom no rule of the other family lets in: for each of them a warning where IPv6 is the open one, for all of them together an info where it is IPv4.
So it is where INPUT accepts by default, and rules of one family close ports (a database's) of which the other says nothing: it lets them in. Whom the other family lets in by a set alone (ipset) is no stranger; that is told as possible.`,
  bad: { rules: open('ipv6', ''), sibling: open('ipv4', '-s 192.0.2.64/27 ') },
  good: { rules: open('ipv6', '-s 2001:db8:5::/48 '), sibling: open('ipv4', '-s 192.0.2.64/27 ') },
  nearMiss: { rules: open('ipv6', ''), sibling: open('ipv4', '-m hashlimit --hashlimit-upto 3/min --hashlimit-mode srcip --hashlimit-name ssh ') },
  * run(cx) {
    const patient = cx.at('patient');
    const table = patient.ruleset.tables.get('filter');
    if (table === undefined || cx.sibling() === undefined || !usesIpv6(cx) || isUnprotected(cx)) return;
    let other: Other | undefined;
    const otherOne = (): Other | undefined => other ??= otherOf(cx);
    const [first, ...others] = openersOf(patient, table, otherOne);
    const beside = letsInUnspoken(patient, 'INPUT').kind === 'yes' ? otherOne() : undefined;
    const whole = first === undefined && beside === undefined ? undefined : patient.pipeline();
    if (whole === undefined) return;
    // What is closed in IPv6 is mostly closed altogether, and that is one matter.
    if (first !== undefined && cx.ruleset.family === 'ipv4') yield report(patient, whole, [first, ...others]);
    else if (first !== undefined) for (const one of [first, ...others]) yield report(patient, whole, [one]);
    if (beside !== undefined) yield* reportLeftOpen(patient, whole, beside);
  },
});
