import type { Because } from '../finding.js';
import type { Severity } from '../model/diagnostic.js';
import type { Ruleset } from '../model/ruleset.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, always, any, not, type Constraint } from '../packet/constraint.js';
import type { Decider } from '../packet-space/answers.js';
import { ask } from '../packet-space/index.js';
import { Patience } from '../packet-space/patience.js';
import { firstPacket, neverReplied, nextPacket, opens, question, type Pipeline } from '../packet-space/pipeline/index.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { rangesOf } from './shared/asked.js';
import { deciderBecause, deciderReference, isPolicy } from './shared/deciders.js';
import { dropsTheRest, isShut } from './shared/default-drop.js';
import { defineCheck, fixWith, referenceOf, type CheckContext } from './define-check.js';
import { withFirst } from './shared/edits.js';
import { isNeeded, mailService, servicesNeeded, type Service } from './shared/needed-services.js';
import type { ProposedStep, Shown } from '../witness/proposal.js';
import { stepOf } from '../witness/step.js';
import { toPointToPoint } from './shared/point-to-point.js';
import { lostRejections, rejections } from './shared/rejections.js';
import { exchanges, notLoopback, statesOf } from './shared/replies.js';
import { isVirtualName, namedInterfaces, virtualInterface } from './shared/outside.js';
import { firstTo, strangers } from './shared/strangers.js';

const toGuests = virtualInterface('out');

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
      { step: stepOf(sample, sample.in ?? 'eth0'), shown: { at: 'filter:INPUT', fate: 'passes' } }, { step: stepOf(reply, 'local'), shown: lostOnTheWay(answer.by) },
    ],
  };
}

/** A packet, and what is shown of it. */
interface ShownStep {
  readonly step: ProposedStep;
  readonly shown: Shown;
}

/** Tunnels have no neighbours to look for, and the host's own containers and virtual machines serve it nothing. */
type Useless = 'tunnels' | 'guests';

interface BrokenService extends Pick<Service, 'name' | 'severity' | 'rule'> {
  readonly by: readonly Decider[];
  readonly steps: readonly ShownStep[];
  /** Where it gets out, and is of no use. */
  readonly only?: Useless;
}

/** What REJECT sends is RELATED to the connection that it refuses: where it gets lost, REJECT works as DROP. */
function brokenRejections(cx: CheckContext, pipeline: Pipeline): BrokenService[] {
  return lostRejections(cx, pipeline).map(({ name, at, hook, packet, by }) => ({
    name, severity: 'info', by, rule: '-m conntrack --ctstate RELATED -j ACCEPT',
    steps: [{ step: stepOf(packet, packet.in ?? 'eth0'), shown: { at: `filter:${hook}`, fate: 'lost', matches: [referenceOf(at)] } }],
  }));
}

function namesGuests(ruleset: Ruleset): boolean {
  return namedInterfaces(ruleset).some(({ name }) => isVirtualName(name));
}

/** Where packets go that are of no use to this host. */
function uselessIn(ruleset: Ruleset): readonly Constraint[] {
  return [...ruleset.family === 'ipv6' ? [toPointToPoint] : [], ...namesGuests(ruleset) ? [toGuests] : []];
}

/** Where somebody must be found: not behind `others`, where it lets anything out by another link. */
function links(cx: CheckContext, pipeline: Pipeline, others: Constraint): Constraint {
  const lets = opens(pipeline, 'out', all([statesOf(cx.ruleset).first, notLoopback, not(others), any([firstTo('tcp'), firstTo('udp')])]));
  return lets.kind === 'yes' ? not(others) : always;
}

/** Whether anybody may deliver mail to this host. */
function takesMail(cx: CheckContext): boolean {
  const table = cx.ruleset.tables.get('filter');
  if (table === undefined) return false;
  const answer = ask(cx.space(), table, 'INPUT', all([strangers(cx), firstTo('tcp', [25])]), ['accept']);
  return answer.kind === 'yes' && answer.certain && !isPolicy(answer.by) && rangesOf(constraintsOf(cx.ruleset, table.name).of(answer.by.rule), 'dport') !== undefined;
}

function brokenServices(cx: CheckContext, pipeline: Pipeline): BrokenService[] {
  const patience = new Patience();
  const places: Readonly<Record<Useless, Constraint>> = {
    tunnels: cx.ruleset.family === 'ipv6' ? links(cx, pipeline, toPointToPoint) : always,
    guests: namesGuests(cx.ruleset) ? links(cx, pipeline, toGuests) : always,
  };
  const mail = isNeeded(cx.settings, 'smtp') && takesMail(cx) ? [mailService(cx.ruleset)] : [];
  const broken = [...servicesNeeded(cx.ruleset, cx.settings), ...mail].flatMap(({ key, packets, isForOne, example, name, severity, rule }): BrokenService[] => {
    const getsOut = (some: Constraint): ReturnType<typeof question> => patience.ask(solveBudget(), budget => isForOne ? opens(pipeline, 'out', some, budget) : question(pipeline, 'out', some, 'accept', budget, true));
    const useless: Useless = key === 'neighbour-discovery' ? 'tunnels' : 'guests';
    const place = places[useless];
    const answer = getsOut(all([packets, place]));
    if (answer.kind === 'undecided') cx.undecided();
    if (answer.kind !== 'no') return [];
    const only = place.kind !== 'always' && getsOut(packets).kind === 'yes' ? useless : undefined;
    return [{ name, ...only === undefined ? {} : { only }, severity, rule, by: answer.by, steps: [{ step: stepOf(example, 'local'), shown: lostOnTheWay(answer.by) }] }];
  });
  const replies = isNeeded(cx.settings, 'replies') ? brokenReplies(cx, pipeline) : undefined;
  const rejected = isNeeded(cx.settings, 'replies') ? brokenRejections(cx, pipeline) : [];
  return [...broken, ...replies === undefined ? [] : [replies], ...rejected];
}

/** What table filter drops is shown there; else it is lost somewhere. */
function lostOnTheWay(by: readonly Decider[]): Shown {
  return by.every(one => one.table === 'filter') ? { at: 'filter:OUTPUT', fate: 'lost' } : { fate: 'lost' };
}

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

const notes: Readonly<Record<Useless, string>> = { tunnels: ' (neighbours are looked for by tunnels only)', guests: ' (but to containers and virtual machines of this host)' };

function notesOf(broken: readonly BrokenService[]): string {
  return (['tunnels', 'guests'] as const).filter(where => broken.some(one => one.only === where)).map(where => notes[where]).join('');
}

const order: readonly Severity[] = ['info', 'warning', 'error'];

export const outputDropBreakage = defineCheck({
  name: 'output-drop-breakage',
  kind: 'conversations',
  severity: 'warning',
  summary: 'OUTPUT drops by default, and something the host needs cannot get out',
  why: `A host that drops what it sends by default must let out by name what it needs: name resolution,
time, package updates, address renewal, neighbour discovery in IPv6, and above all the replies to the services
that INPUT offers. What is missing shows as time-outs far from the firewall. Everything that cannot get out is
listed in one finding: an error where replies or neighbour discovery break, a warning for DNS, else info. Of loopback
\`loopback-blocked\` speaks.
Who asks does so from a port that the kernel chooses, 32768 to 60999: rules for what services answer (\`--sport 22\`)
let nobody out who asks, wherever they let it go. DHCP has ports of its own, and NTP is asked from 123 as well.
The host's own containers and virtual machines serve it nothing: what gets out to \`docker0\` alone does not count as let out.
What REJECT sends passes OUTPUT as well, RELATED to what it refuses: where that cannot get out, REJECT works as DROP, and those who ask wait.
\`needed-services\` in iptables-lint.yaml says what a host needs: loopback, neighbour-discovery, dns-udp, dns-tcp, http, https,
ntp, dhcp, dhcpv6, smtp, ping, replies. Without it, all of them are; smtp where a rule of INPUT lets everybody deliver mail.`,
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
  asks: ({ ruleset, settings }) => [...servicesNeeded(ruleset, settings).map(({ packets }) => packets), mailService(ruleset).packets, ...rejections(ruleset), firstTo('tcp', [25]), ...uselessIn(ruleset), ...uselessIn(ruleset).length > 0 ? [firstTo('tcp'), firstTo('udp')] : []],
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    const output = table?.chains.get('OUTPUT');
    if (table === undefined || output === undefined || !dropsTheRest(cx, table, 'OUTPUT', not(any([toPointToPoint, toGuests]))) || isShut(cx, table)) return;
    const pipeline = cx.pipeline();
    if (pipeline === undefined) return;
    const broken = brokenServices(cx, pipeline);
    if (broken.length === 0) return;
    const rules = [...new Set(broken.map(one => one.rule))];
    const severity = order[Math.max(...broken.map(one => order.indexOf(one.severity)))] ?? 'warning';
    yield {
      span: output.line === 0 ? table.span : output.span,
      severity,
      message: `OUTPUT drops by default, and this cannot get out: ${broken.map(one => one.name).join(', ')}${notesOf(broken)}`,
      because: becauseOf(cx.ruleset, broken),
      ...witnessOf(broken),
      help: `let out what this host needs: ${rules.map(rule => `-A OUTPUT ${rule}`).join('; ')}`,
      ...fixWith('let it out', 'unsafe', withFirst(cx.ruleset, table, output, rules)),
    };
  },
});
