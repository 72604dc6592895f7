import type { Rule, Ruleset } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { firstPacket, question, reachThrough, type Path, type Pipeline } from '../packet-space/pipeline/index.js';
import { all, always, is, not, within, type Constraint, type Range } from '../packet/constraint.js';
import { localPorts } from '../packet/local-ports.js';
import { stepOf } from '../witness/step.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { fromServices, type FromServices } from './shared/from-services.js';
import { holdsForAnybody } from './shared/luck.js';
import { fromOutside } from './shared/outside.js';
import { firstTo, strangers } from './shared/strangers.js';
import { trustedPorts, type TrustedPorts } from './shared/trusted-ports.js';

const paths: readonly (readonly [Path, 'INPUT' | 'FORWARD'])[] = [['in', 'INPUT'], ['through', 'FORWARD']];

function trustsPorts(ruleset: Ruleset): boolean {
  return [...ruleset.tables.get('filter')?.chains.values() ?? []].some(({ rules }) => rules.some(rule => trustedPorts(ruleset, rule) !== undefined));
}

/** Sent from a port that its sender did not choose. */
const anyPort = within('sport', localPorts.low, localPorts.high);

/** Services that everybody knows to be closed to strangers: one of them is the best example. */
const closed = { tcp: [22, 3306, 5432, 445, 6379], udp: [161, 111, 69, 514, 1900] } as const;

/** To which packets one looks for an example, the most telling first. */
function examples(protocol: 'tcp' | 'udp'): readonly Constraint[] {
  const first = firstTo(protocol);
  return [...closed[protocol].map(port => all([first, is('dport', port)])), first];
}

function textOf([{ low, high }]: readonly [Range, ...Range[]]): string {
  return low === high ? String(low) : `${String(low)}-${String(high)}`;
}

function lookAt(cx: CheckContext, pipeline: Pipeline, at: RuleAt, { ports, isEither, to }: TrustedPorts, protocol: 'tcp' | 'udp'): Report | undefined {
  const own: Constraint = { kind: 'within', field: 'sport', ranges: ports };
  const meant: readonly Constraint[] = isEither ? [own, not({ kind: 'within', field: 'dport', ranges: ports })] : [];
  for (const [path, hook] of paths) for (const first of examples(protocol)) {
    const coming = path === 'in' ? strangers(cx) : all([strangers(cx), not(fromOutside(cx, 'out'))]);
    const packets = all([coming, first, ...meant]);
    const answer = reachThrough(pipeline, at.rule, { packets, path, first: true, passes: true });
    if (answer.kind === 'undecided') cx.undecided();
    const certainty = answer.kind === 'live' ? holdsForAnybody(pipeline, answer.found) : 'no';
    if (answer.kind !== 'live' || certainty === 'no') continue;
    const { sample } = firstPacket(pipeline, answer.found, packets);
    // Where others who come the same way get there as well, it is not this rule that lets them.
    const sameWay: Constraint = sample.in === undefined ? always : { kind: 'interface', field: 'in', name: sample.in, prefix: false };
    const others = all([coming, sameWay, firstTo(protocol), anyPort, not(own), ...sample.dport === undefined ? [] : [is('dport', sample.dport)]]);
    if (question(pipeline, path, others, 'accept', undefined, true).kind !== 'no') continue;
    const [only] = ports;
    // Who manages the host does it by that port, and does not get there: the rule may be meant for him. Of other ports it asks others.
    const isForService = protocol === 'tcp' && path === 'in' && ports.length === 1 && only.low === only.high && cx.settings.managementPorts.includes(Number(only.low))
      && question(pipeline, path, all([coming, sameWay, firstTo(protocol, [Number(only.low)]), anyPort]), 'accept', undefined, true).kind === 'no';
    return {
      at, certainty,
      message: `anybody on the internet who sends from port ${textOf(ports)} gets to ${protocol}/${String(sample.dport ?? 'any')}, and to all ${to === undefined ? '' : `of ${textOf([to])} `}that no rule drops before: which port he sends from is his choice`,
      witness: [stepOf(sample, sample.in ?? 'eth0')], shows: [{ at: `filter:${hook}`, fate: 'passes', matches: [referenceOf(at)] }],
      help: `${isEither ? 'write --dports in place of --ports, and let in answers by a rule for known connections (-m conntrack --ctstate ESTABLISHED)' : 'let in answers, and not a port: add -m conntrack --ctstate ESTABLISHED, or delete the rule where one for known connections stands before it'}${isForService ? `; if the service at ${textOf(ports)} of this host is meant, write --dport in place of --sport` : ''}`,
    };
  }
  return undefined;
}

/** Nobody's connections come from there. */
function reportMistaken({ at, protocol, ports }: FromServices): Report {
  const [text, option] = [ports.join(','), ports.length === 1 ? 'port' : 'ports'];
  const does = at.table === 'filter' ? 'lets pass what is sent from there to any port' : 'translates what is sent from there to any port';
  return {
    at, certainty: 'possible',
    message: `this rule is for connections that are begun from ${protocol}/${text}, and no client begins one there: as it is, it ${does}, and nothing that is sent to ${option} ${text}`,
    help: `if the service at ${text} is meant, write --d${option} in place of --s${option}${at.table === 'filter' ? '; if answers are, delete the rule: those to known connections need none' : ''}`,
  };
}

const known = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
const host = (...rules: readonly string[]): string => `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
${rules.map(rule => `${rule}\n`).join('')}-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`;

export const sourcePortTrusted = defineCheck({
  name: 'source-port-trusted',
  kind: 'exposure',
  severity: 'warning',
  auditor: 'error',
  summary: 'Who sends from a port of his choice gets to ports that are closed to all others',
  why: `A rule for \`--sport 53\` or \`--sport 443\` is meant for the answers of servers. But which port a packet is sent from is its sender’s choice: a scanner
that sends from port 53 gets to every service behind the rule. Connection tracking knows answers from questions, so that a rule for known connections (ESTABLISHED) does
what was meant; where there is none, TCP answers at least are not SYN packets. Rules that name a destination port as well, as for DHCP, are not meant, unless it is
any of those to which answers go and at which servers listen, too (\`--dport 1024:65535\`); \`--ports\` of multiport is meant: one of the two ports will do for it.
A rule for TCP connections or questions for names, be it for few senders or of nat, that asks for the port of a service as the one from which they are begun says \`--sport\` where \`--dport\` is meant: no client sends from there, and answers pass before, or are not asked for.`,
  bad: host(known, '-A INPUT -p udp -m udp --sport 53 -j ACCEPT'),
  good: host(known),
  nearMiss: host('-A INPUT -p tcp -m tcp --sport 443 ! --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT', '-A INPUT -p udp -m udp --sport 53 -m conntrack --ctstate ESTABLISHED -j ACCEPT', '-A INPUT -p udp -m udp --sport 67 --dport 68 -j ACCEPT', '-A INPUT -p icmp -j ACCEPT', known),
  asks: ({ ruleset }) => trustsPorts(ruleset) ? [...examples('tcp'), ...examples('udp'), anyPort] : [],
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined) return;
    const told = new Set<Rule>();
    for (const at of cx.rules(table)) {
      const ports = trustedPorts(cx.ruleset, at.rule);
      const pipeline = ports === undefined || cx.reach(table).get(at.rule)?.kind !== 'live' ? undefined : cx.pipeline();
      if (ports === undefined || pipeline === undefined) continue;
      const found = lookAt(cx, pipeline, at, ports, at.rule.protocol?.value === 17 ? 'udp' : 'tcp');
      if (found === undefined) continue;
      told.add(at.rule);
      yield found;
    }
    for (const one of fromServices(cx)) if (!told.has(one.at.rule)) yield reportMistaken(one);
  },
});
