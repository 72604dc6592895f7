import type { Rule, Ruleset, Table } from '../model/ruleset.js';
import { ask, reachWith } from '../packet-space/index.js';
import { firstPacket, onward, type Pipeline } from '../packet-space/pipeline/index.js';
import { publicRanges } from '../packet/address-blocks.js';
import { protocolNumber } from '../packet/protocols.js';
import { printAddress } from '../values/address.js';
import { all, any, ctstates, is, not, type Constraint, type Range } from '../packet/constraint.js';
import { areCovered, rangesOf } from './shared/asked.js';
import { isPolicy } from './shared/deciders.js';
import type { InterfaceName } from '../values/interface-name.js';
import { stepOf } from '../witness/step.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { isToSelf, liveTranslations, pathsBehind, type Asking } from './shared/nat-rules.js';
import { destinationText } from './shared/nat-words.js';
import { clientsBy, insideOf, isForNeighbours, type Inside } from './shared/neighbours.js';
import { shownOutside } from './shared/outside.js';
import { comesTo, exempting } from './shared/notrack.js';
import { firstTo } from './shared/strangers.js';
import { translationsOf, type Translation } from './shared/translations.js';

/** What proxies ask servers for. Mail, names and the time are caught on purpose, by programs that send them on in another way. */
const webPorts = [80, 443] as const;
/** Where web servers listen, and proxies that ask servers themselves (Squid, mitmproxy, Tinyproxy). Others send all on to one that stands elsewhere, by a port of its own (Tor, redsocks, ss-redir). */
const programPorts: readonly Range[] = [...webPorts, 3128, 3129, 8000, 8080, 8081, 8443, 8888].map(port => ({ low: port, high: port }));

/** First packets of this host to one port of servers on the internet. */
function toServers({ family }: Ruleset, port: number): Constraint {
  const elsewhere = not({ kind: 'atom', name: 'addrtype dst LOCAL' });
  return all([firstTo('tcp', [port]), { kind: 'within', field: 'dst', ranges: publicRanges[family] }, elsewhere, is('ctstate', ctstates.NEW), is('fragment', 0)]);
}

/** It sends what this host sends to a program of the web. */
function isOfOwn({ side, hooks, ports }: Translation): boolean {
  return side === 'destination' && hooks.includes('OUTPUT') && (ports === undefined || areCovered(ports, [programPorts]));
}

/** The ways out of this host: all but lo, or one that such a rule names. */
function waysOut(own: ReadonlyMap<Rule, Asking>): readonly Constraint[] {
  const by = ({ name, prefix }: InterfaceName): Constraint => ({ kind: 'interface', field: 'out', name, prefix });
  const named = [...own.keys()].flatMap(({ outInterface: out }) => out === undefined || out.negated || out.value.name === 'lo' ? [] : by(out.value));
  return [not(by({ name: 'lo', prefix: false })), ...named];
}

/** The first of the rules that send all such packets to this host itself; undefined where any may get out. */
function catcherOf(cx: CheckContext, nat: Table, own: ReadonlyMap<Rule, Asking>, packets: Constraint): Asking | undefined {
  const raw = cx.ruleset.tables.get('raw');
  if (raw !== undefined && exempting(cx).some(({ at }) => comesTo(cx, raw, at, 'OUTPUT', packets))) return undefined;
  const past = ask(cx.space(), nat, 'OUTPUT', packets, ['accept', 'drop', 'reject', 'queue', 'unknown']);
  if (past.kind === 'undecided') cx.undecided();
  if (past.kind !== 'no') return undefined;
  const by = past.by.map(one => isPolicy(one) ? undefined : own.get(one.rule));
  return by.includes(undefined) ? undefined : by[0];
}

/** A rule, and the ports of servers that it takes. */
interface Caught {
  readonly asking: Asking;
  readonly ports: readonly number[];
}

function report(cx: CheckContext, pipeline: Pipeline, nat: Table, { asking: { translation }, ports }: Caught): Report | undefined {
  const { at } = translation;
  const packets = any(ports.map(port => toServers(cx.ruleset, port)));
  const answer = onward(pipeline, at.rule, { path: 'loop', packets });
  const sent = reachWith(cx.space(), nat, at, packets, 'OUTPUT');
  if (answer.kind === 'undecided' || sent.kind === 'undecided') cx.undecided();
  // What is dropped there goes no further: redirect-without-accept says so.
  if (answer.kind !== 'passes' || sent.kind !== 'live') return undefined;
  const { outInterface: out } = at.rule;
  return {
    at, certainty: 'possible',
    message: `nothing on this host gets to ${ports.length === 1 ? 'port' : 'ports'} ${ports.join(' and ')} of any server${out === undefined || out.negated ? '' : ` by ${out.value.name}`}: all is sent to ${destinationText(translation)}, and so is what the program there asks servers for, round and round`,
    witness: [stepOf(sent.witness, 'local')], shows: [{ matches: [referenceOf(at)] }],
    help: 'let that program’s own requests pass in front of it: -t nat -I OUTPUT -m owner --uid-owner USER -j RETURN; or name what is meant: -o lo, -d ADDRESS',
  };
}

/** Asked about no more servers inside than these. */
const questionLimit = 200;

/** First packets of a server inside to servers on the internet, of the kind that a rule sends to it. */
function ofServer({ ruleset: { family } }: CheckContext, { server, where: { device } }: Inside, protocol: 'tcp' | 'udp', port: number): Constraint {
  const by: Constraint = { kind: 'interface', field: 'in', name: device, prefix: false };
  return all([firstTo(protocol, [port]), is('src', server), { kind: 'within', field: 'dst', ranges: publicRanges[family] }, by, is('ctstate', ctstates.NEW), is('fragment', 0), is('mark', 0), is('connmark', 0)]);
}

/** The protocol and the lowest port of what a rule takes. */
function askedPort(asks: Constraint): { readonly protocol: 'tcp' | 'udp'; readonly port: number } | undefined {
  const protocol = rangesOf(asks, 'protocol')?.[0]?.low;
  const port = rangesOf(asks, 'dport')?.[0]?.low;
  return port === undefined || (protocol !== protocolNumber.tcp && protocol !== protocolNumber.udp) ? undefined : { protocol: protocol === protocolNumber.tcp ? 'tcp' : 'udp', port: Number(port) };
}

/** Whether no server on the internet can be asked past the rules that send to this one. */
function isAllCaught(cx: CheckContext, nat: Table, asking: Asking, packets: Constraint, others: readonly Asking[]): boolean {
  const raw = cx.ruleset.tables.get('raw');
  if (raw !== undefined && exempting(cx).some(({ at }) => comesTo(cx, raw, at, 'PREROUTING', packets))) return false;
  const alike = new Set(others.filter(one => destinationText(one.translation) === destinationText(asking.translation)).map(one => one.translation.at.rule));
  const past = ask(cx.space(), nat, 'PREROUTING', packets, ['accept', 'drop', 'reject', 'queue', 'unknown']);
  if (past.kind === 'undecided') cx.undecided();
  return past.kind === 'no' && past.by.every(one => !isPolicy(one) && alike.has(one.rule));
}

/** What a server inside asks others for, and gets back itself. */
function* ofServersInside(cx: CheckContext, nat: Table): Generator<Report, void> {
  const caught = [...liveTranslations(cx, 'destination')].filter(({ translation }) => translation.hooks.includes('PREROUTING'));
  let left = questionLimit;
  for (const asking of caught) {
    const { translation, asks } = asking;
    const asked = askedPort(asks);
    const inside = asked === undefined || clientsBy(cx, asking) === undefined || !pathsBehind(cx, translation).includes('through') ? undefined : insideOf(cx, asking);
    if (asked === undefined || inside === undefined || !isForNeighbours(cx, asking, inside)) continue;
    if (left-- <= 0) {
      cx.undecided();
      return;
    }
    const packets = ofServer(cx, inside, asked.protocol, asked.port);
    const pipeline = isAllCaught(cx, nat, asking, packets, caught) ? cx.pipeline() : undefined;
    const shown = all([packets, shownOutside(cx.ruleset.family), { kind: 'interface', field: 'out', name: inside.where.device, prefix: false }]);
    const answer = pipeline === undefined ? undefined : onward(pipeline, translation.at.rule, { path: 'through', packets: shown });
    if (answer?.kind === 'undecided') cx.undecided();
    if (pipeline === undefined || answer?.kind !== 'passes') continue;
    const server = printAddress(inside.server);
    const { sample } = firstPacket(pipeline, answer.found, shown);
    yield {
      at: translation.at, certainty: 'possible',
      ...inside.isAssumed || !webPorts.some(port => port === asked.port) ? { severity: 'info' as const } : {},
      message: `what ${server} itself asks servers for (${asked.protocol}/${String(asked.port)}) gets to none of them${inside.isAssumed ? `, if it is behind ${inside.where.device}` : ''}: this rule takes that as well, and sends it back`,
      witness: [stepOf({ ...sample, src: server }, inside.where.device)], shows: [{ matches: [referenceOf(translation.at)] }],
      help: `let that pass in front of it: -t nat -I PREROUTING -s ${server} -p ${asked.protocol} -m ${asked.protocol} --dport ${String(asked.port)} -j RETURN`,
    };
  }
}

const host = (...output: readonly string[]): string => `*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
${output.map(rule => `-A OUTPUT ${rule}\n`).join('')}COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`;

const redirect = '-p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128';

export const redirectLoop = defineCheck({
  name: 'redirect-loop',
  kind: 'nat',
  severity: 'warning',
  mutedIn: 'generated',
  summary: 'What a proxy asks servers for is sent back to it, on this host or inside',
  why: `A rule of REDIRECT in OUTPUT sends the host's own connections to a program on it, as a transparent proxy. The proxy then asks the server itself, and its packets
pass OUTPUT as well: they are redirected to the proxy again, which asks once more, until it has no sockets left. Nothing on the host gets to such a server any more.
The proxy must be exempt, by its user (\`-m owner\`), a mark or a control group, or by the one server to which it sends all. It is reported for rules that name a port of the web (80, 443) and send to one where web servers listen or proxies that ask servers
themselves, where nothing gets past the rules to any address on the internet, whoever sends it. It is only possible, for a program may answer everything by itself, or ask in another way.
So it is where DNAT sends what people inside ask any server for (the web, names, mail) to a server among them: what that one asks servers for itself comes by the same interface, and goes back to it, unless the rule excepts it
(\`! -s\`). That is told where the rules show that it is among them; an info where they hardly do, and for other ports than the web's.`,
  bad: host(redirect),
  good: host('-m owner --uid-owner 13 -j RETURN', redirect),
  nearMiss: host(`! -d 203.0.113.5/32 ${redirect}`),
  asks: ({ ruleset }) => translationsOf(ruleset).some(isOfOwn) ? webPorts.map(port => toServers(ruleset, port)) : [],
  * run(cx) {
    const nat = cx.ruleset.tables.get('nat');
    if (nat === undefined) return;
    yield* ofServersInside(cx, nat);
    const own = new Map<Rule, Asking>();
    for (const asking of liveTranslations(cx, 'destination')) {
      if (isOfOwn(asking.translation) && rangesOf(asking.asks, 'dport') !== undefined && isToSelf(cx, asking.translation) === true) own.set(asking.translation.at.rule, asking);
    }
    if (own.size === 0) return;
    const caught = new Map<Asking, number[]>();
    for (const port of webPorts) for (const way of waysOut(own)) {
      const asking = catcherOf(cx, nat, own, all([toServers(cx.ruleset, port), way]));
      if (asking !== undefined && caught.get(asking)?.includes(port) !== true) caught.set(asking, [...caught.get(asking) ?? [], port]);
    }
    for (const [asking, ports] of caught) {
      const pipeline = cx.pipeline();
      const found = pipeline === undefined ? undefined : report(cx, pipeline, nat, { asking, ports });
      if (found !== undefined) yield found;
    }
  },
});
