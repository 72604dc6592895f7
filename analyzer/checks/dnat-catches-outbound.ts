import { firstPacket, isCertain, onward, question, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import { solveBudget, type SolveBudget } from '../packet-space/pipeline/solve.js';
import { isPrivate, privateRanges } from '../packet/address-blocks.js';
import { all, always, any, ctstates, is, not, oneOf, type Constraint, type Range } from '../packet/constraint.js';
import { isUnresolved, type Rule } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import type { Address } from '../values/address.js';
import type { Family } from '../values/value.js';
import { meet, rangesOf } from './shared/asked.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { innerNetwork } from './shared/inner-network.js';
import { liveTranslations, onTheWay, wayOutOf, type Asking } from './shared/nat-rules.js';
import { destinationText } from './shared/nat-words.js';
import { defaultDevices, fromOutside, namedInterfaces, virtualInterface } from './shared/outside.js';
import { firstTo, parsed, strangers } from './shared/strangers.js';
import { translatedStep } from './shared/translated-step.js';

/** What one question may cost, and about how many rules they are asked. */
const limits = { packets: 1000, work: 100_000 };
const budget = (): SolveBudget => solveBudget(limits.packets, limits.work);
const questionLimit = 100;

/** Servers anywhere. A rule that takes what is sent to each of them takes what is sent to all. */
const anywhere: Readonly<Record<Family, readonly Address[]>> = {
  ipv4: parsed('ipv4', ['198.51.100.7', '93.184.216.34', '23.45.67.89']),
  ipv6: parsed('ipv6', ['2001:db8:1::7', '2607:f8b0::7', '2a02:26f0::7']),
};

const notLo = not({ kind: 'interface', field: 'in', name: 'lo', prefix: false });

/** Interfaces inside that are asked about. */
const insideLimit = 8;

/** What people inside send to their own server on purpose, wherever they want it to go: mail, names and the time. */
const captured = oneOf('dport', [25, 53, 123, 853]);

/** First packets to a server on the internet of people inside who come by the interface. */
function outbound(cx: CheckContext, server: Address, by: Constraint): Constraint {
  const { family } = cx.ruleset;
  return all([{ kind: 'within', field: 'src', ranges: privateRanges[family] }, is('dst', server), not(fromOutside(cx)), notLo, by, is('ctstate', ctstates.NEW), is('fragment', 0), is('mark', 0), is('connmark', 0)]);
}

/** Of those who come by an interface. */
const comingBy = (device: string): Constraint => ({ kind: 'interface', field: 'in', name: device, prefix: false });

/** A connection of somebody who comes by the interface, that the rule sends elsewhere, whichever server it was for; undefined where it takes only some. */
function caughtBy(cx: CheckContext, pipeline: Pipeline, { translation: { at }, asks }: Asking, by: Constraint): { readonly found: Sighting; readonly packets: Constraint } | undefined {
  let first: { readonly found: Sighting; readonly packets: Constraint } | undefined;
  for (const server of anywhere[cx.ruleset.family]) {
    const packets = outbound(cx, server, by);
    const answer = onward(pipeline, at.rule, { path: 'through', packets, budget: budget() });
    if (answer.kind === 'undecided') cx.undecided();
    const found = answer.kind === 'passes' ? answer.found : answer.kind === 'lost' ? answer.dies : undefined;
    if (found === undefined || !isCertain(pipeline, found)) return undefined;
    first ??= { found, packets: all([asks, packets]) };
  }
  return first;
}

/** Whether the rule publishes the server: strangers get there. Who sends people inside to a proxy lets no stranger use it. */
function isPublished(cx: CheckContext, pipeline: Pipeline, { translation: { at } }: Asking): boolean {
  const answer = onward(pipeline, at.rule, { path: 'through', packets: strangers(cx), budget: budget() });
  if (answer.kind === 'undecided') cx.undecided();
  return answer.kind === 'passes';
}

/** Whether both send what is for the same ports to the same place. */
function isAlike(one: Asking, other: Asking): boolean {
  const ports = ({ asks }: Asking): readonly Range[] | undefined => rangesOf(asks, 'dport');
  return ports(one) !== undefined && ports(other) !== undefined && meet(ports(one), ports(other)) && meet(rangesOf(one.asks, 'protocol'), rangesOf(other.asks, 'protocol'))
    && destinationText(one.translation) === destinationText(other.translation);
}

/** The ports of which some rule may write another destination. */
function translatedPorts(translations: readonly Asking[]): Constraint {
  return any(translations.map(({ asks }): Constraint => {
    const ports = rangesOf(asks, 'dport');
    return ports === undefined ? always : { kind: 'within', field: 'dport', ranges: ports };
  }));
}

/** The interface by which some of them come who are inside, meet a constraint, and are let out to the internet, to whatever port that is left as it is; undefined where nobody is. */
function lineOut(cx: CheckContext, pipeline: Pipeline, translations: readonly Asking[], some: Constraint): string | undefined {
  const [server] = anywhere[cx.ruleset.family];
  if (server === undefined) return undefined;
  const packets = all([outbound(cx, server, some), fromOutside(cx, 'out'), firstTo('tcp'), not(translatedPorts(translations))]);
  const answer = question(pipeline, 'through', packets, 'accept', budget(), true);
  if (answer.kind === 'undecided') cx.undecided();
  return answer.kind === 'yes' ? firstPacket(pipeline, answer.found, packets).sample.in : undefined;
}

/** All such interfaces: those that rules name, and one that none does. */
function linesOut(cx: CheckContext, pipeline: Pipeline, translations: readonly Asking[]): readonly string[] {
  const some = lineOut(cx, pipeline, translations, not(virtualInterface('in'))) ?? lineOut(cx, pipeline, translations, always);
  if (some === undefined) return [];
  const named = namedInterfaces(cx.ruleset).slice(0, insideLimit).filter(({ name }) => name !== some);
  return [...new Set([some, ...named.flatMap(({ name, prefix }) => lineOut(cx, pipeline, translations, { kind: 'interface', field: 'in', name, prefix }) ?? [])])];
}

/** `port 80`, `ports 8000-8010`, as the rule asks for them. */
function portText({ asks }: Asking): string {
  const ports = (rangesOf(asks, 'dport') ?? []).map(({ low, high }) => low === high ? String(low) : `${String(low)}-${String(high)}`);
  return ports.length === 0 ? '' : ` ${ports.length === 1 && !ports[0]?.includes('-') ? 'port' : 'ports'} ${ports.join(', ')} of`;
}

/** The interface to the internet: as the host says, or the first rule that translates what leaves. */
function wayOut(cx: CheckContext): string {
  const [known] = cx.host === undefined ? [] : defaultDevices(cx.host);
  if (known !== undefined) return known;
  const [named] = [...liveTranslations(cx, 'source')].flatMap(({ translation: { at } }) => wayOutOf(cx, at) ?? []);
  return named === undefined ? 'INTERFACE' : `${named.name}${named.prefix ? '+' : ''}`;
}

/** A rule that takes what people inside send, and does not say that strangers alone are meant. */
interface Caught {
  readonly asking: Asking;
  readonly found: Sighting;
  readonly packets: Constraint;
  /** The rule that publishes the same server, where it is another one. */
  readonly publisher: RuleAt | undefined;
}

function report(cx: CheckContext, pipeline: Pipeline, { asking, found, packets, publisher }: Caught): Report {
  const { at } = asking.translation;
  const { sample } = firstPacket(pipeline, found, packets);
  const own = publisher === undefined ? 'the rule says neither for which address nor from where' : `the rule does not say for which address, and the server is one that ${referenceOf(publisher)} publishes`;
  return {
    at,
    message: `whoever is inside (${sample.src ?? ''}) and asks for${portText(asking)} any server on the internet is sent to ${destinationText(asking.translation)} as well: ${own}`,
    because: publisher === undefined ? [] : [{ rule: referenceOf(publisher), line: publisher.rule.line, message: 'publishes the same server' }],
    witness: [translatedStep(pipeline, found, asking.translation, false, packets)], shows: [{ matches: [referenceOf(at)] }],
    help: publisher === undefined ? `name what is published, -d ADDRESS; or by where strangers come, -i ${wayOut(cx)}` : 'name what is published, -d ADDRESS',
  };
}

/** Whether the rule may be for people inside who come by an interface, as far as it says whence. */
function mayMean({ source, inInterface }: Rule, device: string): boolean {
  if (source?.negated === true) return false;
  if (inInterface === undefined) return true;
  const { value: { name, prefix }, negated } = inInterface;
  return (prefix ? device.startsWith(name) : device === name) !== negated;
}

/** Whether people of the network that it names, where it names one, are behind the interface and let out there. */
function comesFrom(cx: CheckContext, pipeline: Pipeline, translations: readonly Asking[], { asks }: Asking, { source }: Rule, device: string): boolean {
  if (source === undefined) return true;
  return !isUnresolved(source.value) && innerNetwork(cx, source.value.address)?.device === device
    && lineOut(cx, pipeline, translations, all([comingBy(device), { kind: 'within', field: 'src', ranges: rangesOf(asks, 'src') ?? [] }])) !== undefined;
}

const router = (dnat: string, ...forward: readonly string[]): string => `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING ${dnat}
-A POSTROUTING -s 192.168.1.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -s 192.168.1.0/24 -i eth1 -j ACCEPT
${forward.map(rule => `${rule}\n`).join('')}COMMIT
`;

const published = '-A FORWARD -d 192.168.1.5/32 -i eth0 -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT';

export const dnatCatchesOutbound = defineCheck({
  name: 'dnat-catches-outbound',
  kind: 'nat',
  severity: 'warning',
  summary: 'A rule that publishes a server also takes what people inside send to other servers',
  why: `PREROUTING sees the packets of people inside as well, on their way out. A rule of DNAT for \`--dport 80\` that says neither which address is published (\`-d\`) nor by
where strangers come (\`-i\`) sends their connections to web servers anywhere to the published server instead: they see its pages, or certificates that do not fit. It is reported
where strangers get to the server by the rule, sources are translated on their way out and people inside are let out, so that a rule which means to send them to a proxy or to a name server
is let alone. A rule that says from where (\`-i\`, \`-s\`) is reported where it is for people inside and leads to the very server that another rule publishes by the same port, as one that is to
make the server's outer address work inside: without \`-d\` it takes all other servers as well. Mail, names and the time may be meant so, and are let alone there.`,
  bad: router('-p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.5', published),
  good: router('-i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.5', published),
  nearMiss: router('-p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.5:3128'),
  asks: ({ ruleset: { family, tables } }) => tables.has('nat') ? [{ kind: 'within', field: 'src', ranges: privateRanges[family] }, oneOf('dst', anywhere[family]), virtualInterface('in')] : [],
  * run(cx) {
    if (liveTranslations(cx, 'source').next().done === true) return;
    const translations = [...liveTranslations(cx, 'destination')];
    let left = questionLimit;
    let inside: readonly string[] | undefined;
    const published = new Map<Asking, boolean>();
    const publishes = (pipeline: Pipeline, asking: Asking): boolean => {
      let answer = published.get(asking);
      if (answer === undefined) published.set(asking, answer = isPublished(cx, pipeline, asking));
      return answer;
    };
    for (const asking of translations) {
      const { address, hooks, at } = asking.translation;
      if (typeof address === 'string' || !address.every(({ low }) => isPrivate(low)) || !hooks.includes('PREROUTING') || rangesOf(asking.asks, 'dst') !== undefined) continue;
      // Who says whence means it, unless it is the very server that another rule publishes.
      const way = onTheWay(cx, at, 'PREROUTING').map(one => one.rule);
      const isSaid = way.some(rule => rule.inInterface !== undefined || rule.source !== undefined);
      const others = isSaid ? translations.filter(one => one !== asking && isAlike(one, asking)) : [];
      if (isSaid && others.length === 0) continue;
      const pipeline = cx.pipeline();
      if (pipeline === undefined) return;
      if (left-- <= 0) {
        cx.undecided();
        return;
      }
      inside ??= linesOut(cx, pipeline, translations);
      if (inside.length === 0) return;
      const devices = inside.filter(device => way.every(rule => mayMean(rule, device) && comesFrom(cx, pipeline, translations, asking, rule, device)));
      const publisher = devices.length === 0 ? undefined : isSaid ? others.find(one => publishes(pipeline, one)) : publishes(pipeline, asking) ? asking : undefined;
      if (publisher === undefined) continue;
      for (const device of devices) {
        const found = caughtBy(cx, pipeline, asking, isSaid ? all([comingBy(device), not(captured)]) : comingBy(device));
        if (found === undefined) continue;
        yield report(cx, pipeline, { asking, ...found, publisher: publisher === asking ? undefined : publisher.translation.at });
        break;
      }
    }
  },
});
