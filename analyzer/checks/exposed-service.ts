import type { Because } from '../finding.js';
import type { Rule, Table } from '../model/ruleset.js';
import type { Decider, PacketSample, RuleAt } from '../packet-space/answers.js';
import { redundant } from '../packet-space/index.js';
import { firstPacket, isCertain, opens, reachThrough, type Passage, type Path, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import type { ReachOptions } from '../packet-space/pipeline/reach.js';
import { hooksOf } from '../packet-space/pipeline/read-ruleset.js';
import { solveBudget, type SolveBudget } from '../packet-space/pipeline/solve.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, not, type Constraint, type Range } from '../packet/constraint.js';
import { localPorts } from '../packet/local-ports.js';
import type { ProposedStep, Shown } from '../witness/proposal.js';
import { stepOf } from '../witness/step.js';
import { acceptsAll } from './shared/accepting.js';
import { without } from './shared/asked.js';
import { deciderBecause, deciderReference, forwarderOf, isPolicy } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { innerServices, type InnerService } from './shared/inner-services.js';
import { holdsForAnybody } from './shared/luck.js';
import { countOf, namedPorts, namesAny, portsWithin, sparedPorts, type NamedPorts } from './shared/named-ports.js';
import { fromOutside } from './shared/outside.js';
import { wholeRule } from './shared/nat-rules.js';
import { publishedBy } from './shared/published.js';
import { firstTo, isForSomebody, strangers } from './shared/strangers.js';
import { refuses } from './shared/targets.js';
import { translatedStep } from './shared/translated-step.js';
import { translationsOf } from './shared/translations.js';
import { trustedPorts } from './shared/trusted-ports.js';

/** A packet by a rule, and the reading of the rules in which it was found. */
interface Seen {
  readonly pipeline: Pipeline;
  readonly found: Sighting;
  readonly certainty: 'certain' | 'possible';
}

/** A service that a stranger can reach by a rule, and a packet of his. */
interface Exposed extends Seen {
  readonly service: InnerService;
  readonly sample: PacketSample;
}

/** What one question may cost, and all of a rule set: a hundred thousand rules may each be asked about several services. */
const questionBudget = { packets: 20_000, work: 2_000_000 };
const totalBudget = { packets: 200_000, work: 20_000_000 };

/** What a stranger's packets to a service are like, as they come. */
type Asked = (service: InnerService) => Constraint;

/** Many rules open the same service: what is asked about one of them is asked in the same words, and need not be worked out anew. */
function inSameWords(asked: Asked): Asked {
  const known = new Map<string, Constraint>();
  return service => {
    const key = `${service.protocol} ${String(service.from)} ${String(service.to)}`;
    let packets = known.get(key);
    if (packets === undefined) known.set(key, packets = asked(service));
    return packets;
  };
}

/** A range of so many ports is meant. Who opens more at once does not think of each. */
const meant = 1024;
/** Different services that a wider range must hold to be reported; some of media or of passive FTP hold two or three. */
const many = 4;
/** From the ports of clients on a wide range is for these, for media or passive FTP: what else is there, is there by chance. A range of so many is meant. */
const few = 16;
/** A service that has a port for each display, console or guest has no more of them. */
const displays = 100;
/** More services than this are not all asked about and named. */
const listed = 6;

function servicesAmong(named: NamedPorts): readonly InnerService[] {
  const services: InnerService[] = [];
  for (const one of innerServices) {
    if (one.protocol !== named.protocol || !namesAny(named, one.from, one.to)) continue;
    const ports = portsWithin(named, one.from, one.to);
    const [from = one.from, to = from] = [ports[0], ports.at(-1)];
    services.push({ ...one, from, to });
  }
  return services;
}

/** Of a range that begins with the first port of a service that has several, as `5900:5999` with the first display of VNC, those: the rest is for more of them. */
function withoutMore(protocol: NamedPorts['protocol'], range: Range): Range {
  const own = innerServices.find(one => one.protocol === protocol && one.from < one.to && one.from === Number(range.low) && one.to < Number(range.high));
  return own === undefined || countOf({ protocol, ranges: [range] }) > displays ? range : { low: range.low, high: own.to };
}

/** Services on ports that are meant: of `3306,30000:40000`, MySQL. */
function servicesIn({ protocol, ranges: all }: NamedPorts): readonly InnerService[] {
  const named = { protocol, ranges: all.map(one => withoutMore(protocol, one)) };
  const services = servicesAmong(named);
  if (new Set(services.filter(({ from }) => from < localPorts.low).map(({ name }) => name)).size >= many) return services;
  const { ranges } = named;
  const narrow = ranges.filter(one => countOf({ protocol, ranges: [one] }) <= (one.low < localPorts.low ? meant : few));
  return narrow.length === ranges.length ? services : servicesAmong({ protocol, ranges: narrow });
}

function portsOf({ from, to }: InnerService): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Asks within what is left for the rule set. */
function reachWithin(total: SolveBudget, pipeline: Pipeline, rule: Rule, options: ReachOptions): Passage {
  const budget = solveBudget(Math.min(questionBudget.packets, total.packets), Math.min(questionBudget.work, total.work));
  const { packets, work } = budget;
  const answer = reachThrough(pipeline, rule, { ...options, budget });
  total.packets -= packets - budget.packets;
  total.work -= work - budget.work;
  return answer;
}

/** Whether some packet gets through by the rule, at a pace that no limit minds. */
function seek({ cx, plain, patient, total }: Asking, rule: Rule, options: ReachOptions): Seen | undefined {
  const known = plain();
  // Where none does at any pace, or one that meets nothing unknown, limits are no matter, and the rules without them need not be compiled.
  if (known?.chains.numbers.has(rule) === true) {
    const answer = reachWithin(total.plain, known, rule, options);
    if (answer.kind === 'dead') return undefined;
    if (answer.kind === 'live' && isCertain(known, answer.found)) return { pipeline: known, found: answer.found, certainty: 'certain' };
  }
  const pipeline = patient();
  const answer = pipeline === undefined ? undefined : reachWithin(total.patient, pipeline, rule, options);
  if (answer?.kind === 'undecided') cx.undecided();
  if (pipeline === undefined || answer?.kind !== 'live') return undefined;
  const certainty = holdsForAnybody(pipeline, answer.found);
  return certainty === 'no' ? undefined : { pipeline, found: answer.found, certainty };
}

/** Those of the services that a stranger reaches along a path by way of the rule. */
function exposedBy(asking: Asking, { rule }: RuleAt, path: Path, services: readonly InnerService[], asked: Asked): readonly Exposed[] {
  return services.slice(0, listed).flatMap((service): readonly Exposed[] => {
    const packets = asked(service);
    const seen = seek(asking, rule, { packets, path, first: true, passes: true });
    return seen === undefined ? [] : [{ ...seen, service, get sample() { return firstPacket(seen.pipeline, seen.found, packets).sample; } }];
  });
}

/** `MySQL (tcp/3306) and Redis (tcp/6379)`; `asked` are those that the rule names. */
function listText(exposed: readonly Exposed[], asked: readonly InnerService[]): string {
  const ports = new Map<string, string[]>();
  for (const { service: { name, protocol, from, to } } of exposed) ports.set(name, [...ports.get(name) ?? [], `${protocol}/${String(from)}${from === to ? '' : `-${String(to)}`}`]);
  const words = [...ports].map(([name, its]) => `${name} (${its.join(', ')})`);
  const last = asked.length > listed ? 'others' : words.length > 1 ? words.pop() : undefined;
  return `${words.join(', ')}${last === undefined ? '' : ` and ${last}`}`;
}

interface Told {
  readonly at: RuleAt;
  readonly message: string;
  readonly help: string;
  readonly step: ProposedStep;
  readonly shown: Shown;
  readonly because?: readonly Because[];
}

function report(exposed: readonly Exposed[], { shown, step, ...told }: Told): Report {
  return {
    ...told,
    severity: exposed.some(({ service }) => service.severity === 'warning') ? 'warning' : 'info',
    certainty: exposed.every(one => one.certainty === 'possible') ? 'possible' : 'certain',
    witness: [step], shows: [shown],
  };
}

const tunnel = 'reach it through a VPN or an SSH tunnel';
const remedies = `name whom it is for (-s NETWORK, or -i INTERFACE of the inside), or ${tunnel}`;

/** How to keep others away where no rule would, whatever this one says. `by`: who lets them in without it. */
function closing({ protocol, from, to }: InnerService, [by]: readonly Decider[]): string {
  const drop = `drop what others send to it (! -s NETWORK -p ${protocol} --dport ${String(from)}${from === to ? '' : `:${String(to)}`} -j DROP)`;
  return `${drop}, or ${tunnel}${by === undefined ? '' : `; to name in this rule whom it is for closes nothing, for ${isPolicy(by) ? `the policy ${by.policy} of ${by.chain}` : referenceOf(by)} lets in what it leaves`}`;
}

interface Asking {
  readonly cx: CheckContext;
  /** The rules as they are, unless they have no limits; and as they are for those who take their time: limits do not keep them out. */
  readonly plain: () => Pipeline | undefined;
  readonly patient: () => Pipeline | undefined;
  /** What is left to spend. */
  readonly total: Readonly<Record<'plain' | 'patient', SolveBudget>>;
}

/** Nothing is left: what is open beyond is not told, and counted once. */
function isSpent({ cx, total: { patient: { packets, work } } }: Asking): boolean {
  const spent = packets <= 0 || work <= 0;
  if (spent) cx.undecided();
  return spent;
}

/** Services that DNAT publishes, and the rules of table filter that let them through on that account. */
function* published(asking: Asking, through: Set<string>): Generator<Report, void> {
  const { cx } = asking;
  const nat = cx.ruleset.tables.get('nat');
  if (nat === undefined) return;
  const elsewhere = inSameWords(({ protocol }) => all([strangers(cx), firstTo(protocol, undefined)]));
  const there = inSameWords(service => all([strangers(cx), firstTo(service.protocol, portsOf(service))]));
  for (const at of cx.rules(nat)) {
    const rule = wholeRule(cx, at, 'PREROUTING');
    const inside = isForSomebody(rule) ? undefined : publishedBy(cx.ruleset, rule);
    if (inside !== undefined && isSpent(asking)) return;
    const services = inside === undefined ? [] : servicesIn(inside.ports);
    if (inside === undefined || services.length === 0) continue;
    const exposed = exposedBy(asking, at, 'through', services, inside.isMoved ? elsewhere : there);
    const [first] = exposed;
    if (first === undefined) continue;
    const { pipeline } = first;
    const by = forwarderOf(pipeline, first.found);
    if (by !== undefined && 'rule' in by) through.add(referenceOf(by));
    const { dport } = first.sample;
    const translation = translationsOf(cx.ruleset).find(one => one.at.rule === at.rule);
    const step = translation === undefined ? stepOf(first.sample, first.sample.in ?? 'eth0') : translatedStep(pipeline, first.found, translation, false, (inside.isMoved ? elsewhere : there)(first.service));
    const outer = dport === undefined || portsWithin(inside.ports, dport, dport).length > 0 ? '' : `, as port ${String(dport)}`;
    yield report(exposed, {
      at, message: `anybody on the internet can reach ${listText(exposed, services)}: this rule publishes it${outer}`,
      because: by === undefined ? [] : [deciderBecause(cx.ruleset, by, 'lets it through')],
      step, shown: { fate: 'passes', matches: [referenceOf(at)] }, help: remedies,
    });
  }
}

/** Services that rules of table filter open. `isShadowed`: no packet comes to the rule, at whatever pace. */
function* opened(asking: Asking, table: Table, through: ReadonlySet<string>, isShadowed: (at: RuleAt) => boolean): Generator<Report, void> {
  const { cx } = asking;
  const coming = strangers(cx);
  const inwards = all([coming, not(fromOutside(cx, 'out'))]);
  const askedOf = {
    in: inSameWords(service => all([coming, firstTo(service.protocol, portsOf(service))])),
    through: inSameWords(service => all([inwards, firstTo(service.protocol, portsOf(service))])),
  };
  for (const at of cx.rules(table)) {
    // source-port-trusted tells of those that are open to whoever sends from some port.
    const ports = acceptsAll(table, at.rule) && !isForSomebody(at.rule) && !through.has(referenceOf(at)) && trustedPorts(cx.ruleset, at.rule)?.to === undefined ? namedPorts(cx.ruleset, table.name, at.rule) : undefined;
    const services = ports === undefined ? [] : servicesIn(ports);
    if (ports === undefined || services.length === 0) continue;
    if (isShadowed(at)) continue;
    if (isSpent(asking)) return;
    for (const path of ['in', 'through'] as const) {
      const exposed = exposedBy(asking, at, path, services, askedOf[path]);
      const [first] = exposed;
      if (first === undefined) continue;
      const without = redundant(cx.space(), table, at);
      yield report(exposed, {
        at, message: `anybody on the internet can reach ${listText(exposed, services)}: this rule lets everybody in`,
        step: stepOf(first.sample, first.sample.in ?? 'eth0'), shown: { at: path === 'in' ? 'filter:INPUT' : 'filter:FORWARD', fate: 'passes', matches: [referenceOf(at)] },
        help: without.kind === 'redundant' ? closing(first.service, without.because) : remedies,
      });
      break;
    }
  }
}

/** Services on ports that a rule leaves out which drops all others, and that no rule names which lets them in. */
function* spared(asking: Asking, table: Table): Generator<Report, void> {
  const { cx, patient, total } = asking;
  const constraints = constraintsOf(cx.ruleset, table.name);
  for (const at of cx.rules(table)) {
    const { rule } = at;
    const isOfInput = refuses(rule) && !isForSomebody(rule) && hooksOf(table).get(at.chain)?.includes('INPUT') === true;
    const ports = isOfInput ? sparedPorts(cx.ruleset, table.name, rule) : undefined;
    const services = ports === undefined ? [] : servicesIn(ports);
    const pipeline = services.length === 0 ? undefined : patient();
    if (pipeline === undefined) continue;
    const coming = all([strangers(cx), ...without(constraints.of(rule), ['dport'])]);
    const by = new Map<string, Decider>();
    const exposed = services.slice(0, listed).flatMap((service): readonly Exposed[] => {
      const packets = all([coming, firstTo(service.protocol, portsOf(service))]);
      const answer = opens(pipeline, 'in', packets, total.patient);
      if (answer.kind === 'undecided') cx.undecided();
      const certainty = answer.kind === 'yes' ? holdsForAnybody(pipeline, answer.found) : 'no';
      if (answer.kind !== 'yes' || certainty === 'no' || (answer.by !== undefined && !isPolicy(answer.by) && namedPorts(cx.ruleset, table.name, answer.by.rule) !== undefined)) return [];
      if (answer.by !== undefined) by.set(deciderReference(answer.by), answer.by);
      return [{ pipeline, found: answer.found, certainty, service, get sample() { return firstPacket(pipeline, answer.found, packets).sample; } }];
    });
    const [first] = exposed;
    if (first === undefined) continue;
    yield report(exposed, {
      at, message: `anybody on the internet can reach ${listText(exposed, services)}: this rule leaves it out, and nothing else keeps it away`,
      because: [...by.values()].map(one => deciderBecause(cx.ruleset, one, 'lets it in')),
      step: stepOf(first.sample, first.sample.in ?? 'eth0'), shown: { at: 'filter:INPUT', fate: 'passes' }, help: closing(first.service, []),
    });
  }
}

export const exposedService = defineCheck({
  name: 'exposed-service',
  kind: 'exposure',
  severity: 'warning',
  auditor: 'warning',
  summary: 'A rule opens a service to everybody that is made for those inside',
  why: `Databases, caches, control planes, file shares and remote desktops are made for a network of friends. Many of them ask for no
password, or for one that can be guessed, and all of them are looked for, day and night, by programs that try every address of the internet.
The rule is reported where a packet from a public address that no rule names, by an interface that may lead outside, gets through all tables
by it: to this host, or by DNAT to another; and a rule that drops all ports but some, where a packet to one of these gets in. Which interfaces lead outside is said by \`trusted-interfaces\`, by the default route of a
host file, by what nat translates on its way out, by a name such as wan0, or else it is those of which the rules do not show that they are trusted.
What some people offer to the world on purpose (LDAP, rsync) is an info.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 10.20.0.0/16 -p tcp -m tcp --dport 3306 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:friends - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 203.0.113.64/29 -j friends
-A INPUT -m set --match-set office src -j friends
-A friends -p tcp -m multiport --dports 3306,6379 -j ACCEPT
COMMIT
`,
  * run(cx) {
    const filter = cx.ruleset.tables.get('filter');
    const patient = cx.at('patient');
    const budget = (): SolveBudget => solveBudget(totalBudget.packets, totalBudget.work);
    const asking: Asking = { cx: patient, plain: () => patient === cx ? undefined : cx.pipeline(), patient: () => patient.pipeline(), total: { plain: budget(), patient: budget() } };
    const through = new Set<string>();
    yield* published(asking, through);
    if (filter === undefined) return;
    // Where no packet comes to a rule, whether limits match or not, none comes at his pace: that is known, and his need not be asked for.
    const reached = cx.reach(filter);
    const isShadowed = ({ chain, position }: RuleAt): boolean => {
      const own = filter.chains.get(chain)?.rules[position - 1];
      return own !== undefined && reached.get(own)?.kind === 'shadowed';
    };
    const table = patient.ruleset.tables.get('filter') ?? filter;
    yield* opened(asking, table, through, isShadowed);
    yield* spared(asking, table);
  },
});
