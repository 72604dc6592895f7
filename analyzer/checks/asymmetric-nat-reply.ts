import type { PacketSample } from '../packet-space/answers.js';
import { firstPacket, isCertainHowever, nextPacket, reachThrough, translatedAnswer, type Path, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import type { Solved } from '../packet-space/pipeline/solve.js';
import { publicRanges } from '../packet/address-blocks.js';
import { all, always, is, masked, mentions, not, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { printAddress } from '../values/address.js';
import type { Illustration } from '../witness/proposal.js';
import { areCovered, meet, rangesOf } from './shared/asked.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { liveTranslations, pathsBehind, unmarked, type Asking } from './shared/nat-rules.js';
import { exempting, type Exempt } from './shared/notrack.js';
import { virtualInterface } from './shared/outside.js';
import { everydayClient, notLoopback, replyMarks, stepOf } from './shared/replies.js';

/** Pairs of rules that are asked about, of those that may have to do with each other. */
const questionLimit = 96;

/** The first packets of clients as operating systems make them. */
const openings: readonly Constraint[] = [
  all([is('protocol', protocolNumber.tcp), masked('tcpFlags', 2, 63), is('fragment', 0), everydayClient.first]),
  all([is('protocol', protocolNumber.udp), is('fragment', 0), everydayClient.first]),
];

const everydayPorts = rangesOf(everydayClient.first, 'sport') ?? [];

/** Whether packets come to a rule as they arrive from elsewhere, without a mark. */
function isForUnmarked(pipeline: Pipeline, { at, hooks }: Exempt): boolean {
  return hooks.includes('OUTPUT') || (['through', 'in'] as const).some(path => reachThrough(pipeline, at.rule, { packets: unmarked, path }).kind !== 'dead');
}

/** The far end is on the internet, where the translation does not say where it is: an inside address there would be a spoofed one. */
function farEnd({ ruleset: { family } }: Pick<CheckContext, 'ruleset'>, { translation: { side }, asks }: Asking, path: Path): readonly Constraint[] {
  const field = side === 'source' ? 'dst' : 'src';
  return path === 'out' || path === 'loop' || mentions(asks, [field]) ? [] : [{ kind: 'within', field, ranges: publicRanges[family] }];
}

/** Where the translation names the way out, they come another way. */
function whence({ translation: { side, at: { rule: { outInterface: out } } } }: Asking): Constraint {
  return side === 'destination' || out === undefined || out.negated ? always : not({ kind: 'interface', field: 'in', ...out.value });
}

function pathsOf(cx: CheckContext, { translation }: Asking): readonly Path[] {
  return translation.side === 'source' ? ['through'] : pathsBehind(cx, translation);
}

/** The answer where nat chose as it liked: to the packet as it came. What the engine says of it is told of what the server saw. */
function mirrored(sample: PacketSample): PacketSample {
  const { src, dst, sport, dport, protocol } = sample;
  const ends = Object.entries({ src: dst, dst: src, sport: dport, dport: sport, protocol }).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(ends), ...replyMarks(sample) };
}

/** The connection, translated and sent on, and its answer, which comes by the rule that exempts it. `isCertain`: whatever nat chooses. */
function illustrate(pipeline: Pipeline, found: Sighting, { exempt, asking }: Pair, isCertain: boolean): Illustration | undefined {
  const { sample, trip } = firstPacket(pipeline, found);
  const reply = nextPacket(pipeline, trip, sample, replyMarks(sample)) ?? (isCertain ? mirrored(sample) : undefined);
  if (reply === undefined) return undefined;
  const { path } = found.goal;
  const { translation: { address, side, at } } = asking;
  const other = (name: string | undefined): string => name === 'eth0' ? 'eth1' : 'eth0';
  const from = path === 'out' || path === 'loop' ? 'local' : sample.in ?? other(sample.out);
  const device = sample.out === undefined || sample.out === from ? other(from) : sample.out;
  const [first, answer] = [stepOf(sample, from), stepOf(reply, path === 'in' || path === 'loop' ? 'local' : path === 'through' ? device : reply.in ?? device)];
  const [only] = typeof address === 'string' ? [] : address;
  const to = side === 'source' ? sample.dst : only === undefined ? undefined : printAddress(only.low);
  return {
    steps: path === 'through' && to !== undefined ? [{ ...first, sentOn: { address: to, device } }, { ...answer, sentOn: { address: String(reply.dst), device: from } }] : [first, answer],
    shows: [{ fate: 'passes', matches: [referenceOf(at)] }, { matches: [referenceOf(exempt.at)] }],
  };
}

interface Pair {
  readonly exempt: Exempt;
  readonly asking: Asking;
}

/**
 * The first packets whose answers may come by the rule, as far as that is plain: answers are of the same protocol, and come from where nat has sent the
 * connection, or go to where it says that it comes from. (With IPv6, SNPT and DNPT may write addresses once more.)
 */
function openingsOf({ ruleset: { family } }: CheckContext, { exempt: { packets }, asking: { translation: { side, address, ports }, asks } }: Pair): readonly Constraint[] {
  const isElsewhere = family === 'ipv4' && typeof address !== 'string' && !meet(rangesOf(packets, side === 'destination' ? 'src' : 'dst'), address);
  // nat may give any port, and hardly ever gives one of these.
  const isByChance = side === 'source' && !meet(rangesOf(packets, 'dport'), everydayPorts) && areCovered(everydayPorts, [ports]);
  return isElsewhere || isByChance ? [] : openings.filter(opening => [packets, asks].every(one => meet(rangesOf(opening, 'protocol'), rangesOf(one, 'protocol'))));
}

function reportOf(cx: CheckContext, pipeline: Pipeline, pair: Pair, some: readonly Constraint[]): Report | undefined {
  const { exempt: { at }, asking } = pair;
  const { translation } = asking;
  for (const path of pathsOf(cx, asking)) for (const opening of some) {
    const found = (...more: readonly Constraint[]): Solved => translatedAnswer(pipeline, translation.at.rule, at.rule, { path, packets: all([opening, notLoopback, unmarked, whence(asking), ...farEnd(cx, asking, path), ...more]) });
    const any = found();
    if (any.kind === 'undecided') cx.undecided();
    if (any.kind !== 'found') continue;
    // Rather somebody's own machine, where it may be one.
    const own = found(not(virtualInterface('in')));
    const answer = own.kind === 'found' ? own : any;
    const isCertain = isCertainHowever(pipeline, answer);
    const shown = illustrate(pipeline, answer, pair, isCertain);
    const lost = translation.side === 'source' ? 'they are taken to be for this host, and never get to the client' : 'they reach the client from an address or port that it never asked';
    return {
      at,
      certainty: isCertain ? 'certain' : 'possible',
      message: `this rule exempts answers from connection tracking whose connections nat translates: nothing translates them back, so ${lost}`,
      because: [{ rule: referenceOf(translation.at), line: translation.at.rule.line, message: 'translates the connections' }],
      ...shown === undefined ? {} : { witness: shown.steps, shows: shown.shows },
      help: 'leave these answers out: narrow the exemption down, or put -j ACCEPT for them in front of it in table raw',
    };
  }
  return undefined;
}

export const asymmetricNatReply = defineCheck({
  name: 'asymmetric-nat-reply',
  kind: 'nat',
  severity: 'error',
  summary: 'Connections are translated, and their answers are exempt from tracking: nothing translates them back',
  why: `Table nat is asked about the first packet of a connection; all that follows is translated by connection tracking, and
answers are translated back by it. A rule of table raw that exempts answers (\`-j CT --notrack\`) takes that away. The answer of a forwarded
service then leaves with the server's inner address, and the client, who asked another, drops it. The answer to a masqueraded
client stays with this host. Exempt both directions of what is not translated, and neither of what is.`,
  bad: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -s 10.0.0.5/32 -p tcp -m tcp --sport 443 -j CT --notrack
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.5
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -s 10.0.0.5/32 -p tcp -m tcp --sport 443 -m conntrack --ctstate UNTRACKED -j ACCEPT
-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  good: `*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.5
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  nearMiss: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -s 10.0.0.5/32 -p tcp -m tcp --sport 443 -j ACCEPT
-A PREROUTING -s 10.0.0.0/24 -d 10.1.0.0/24 -j CT --notrack
-A PREROUTING -s 10.1.0.0/24 -d 10.0.0.0/24 -j CT --notrack
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.5
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -s 10.0.0.0/15 -d 10.0.0.0/15 -m conntrack --ctstate UNTRACKED -j ACCEPT
-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  asks: ({ ruleset }) => ruleset.tables.has('raw') && ruleset.tables.has('nat') ? [...openings, unmarked, virtualInterface('in'), ...(['src', 'dst'] as const).map(field => ({ kind: 'within' as const, field, ranges: publicRanges[ruleset.family] }))] : [],
  * run(cx) {
    const exempts = exempting(cx);
    const askings = exempts.length === 0 ? [] : [...liveTranslations(cx, 'destination'), ...liveTranslations(cx, 'source')];
    const pipeline = askings.length === 0 ? undefined : cx.pipeline();
    if (pipeline === undefined) return;
    let left = questionLimit;
    for (const exempt of exempts) for (const asking of isForUnmarked(pipeline, exempt) ? askings : []) {
      const pair = { exempt, asking };
      const some = openingsOf(cx, pair);
      if (some.length === 0) continue;
      if (left-- <= 0) {
        cx.undecided();
        return;
      }
      const found = reportOf(cx, pipeline, pair, some);
      if (found === undefined) continue;
      yield found;
      break;
    }
  },
});
