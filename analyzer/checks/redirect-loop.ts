import type { Rule, Ruleset, Table } from '../model/ruleset.js';
import { ask, reachWith } from '../packet-space/index.js';
import { onward, type Pipeline } from '../packet-space/pipeline/index.js';
import { publicRanges } from '../packet/address-blocks.js';
import { all, any, ctstates, is, not, type Constraint, type Range } from '../packet/constraint.js';
import { areCovered, rangesOf } from './shared/asked.js';
import { isPolicy } from './shared/deciders.js';
import type { InterfaceName } from '../values/interface-name.js';
import { stepOf } from '../witness/step.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { isToSelf, liveTranslations, type Asking } from './shared/nat-rules.js';
import { destinationText } from './shared/nat-words.js';
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
  summary: 'What this host asks web servers for is all redirected to itself, also what its proxy asks for',
  why: `A rule of REDIRECT in OUTPUT sends the host's own connections to a program on it, as a transparent proxy. The proxy then asks the server itself, and its packets
pass OUTPUT as well: they are redirected to the proxy again, which asks once more, until it has no sockets left. Nothing on the host gets to such a server any more.
The proxy must be exempt, by its user (\`-m owner\`), a mark or a control group, or by the one server to which it sends all. It is reported for rules that name a port of the web (80, 443) and send to one where web servers listen or proxies that ask servers
themselves, where nothing gets past the rules to any address on the internet, whoever sends it. It is only possible, for a program may answer everything by itself, or ask in another way.`,
  bad: host(redirect),
  good: host('-m owner --uid-owner 13 -j RETURN', redirect),
  nearMiss: host(`! -d 203.0.113.5/32 ${redirect}`),
  asks: ({ ruleset }) => translationsOf(ruleset).some(isOfOwn) ? webPorts.map(port => toServers(ruleset, port)) : [],
  * run(cx) {
    const nat = cx.ruleset.tables.get('nat');
    const own = new Map<Rule, Asking>();
    for (const asking of liveTranslations(cx, 'destination')) {
      if (isOfOwn(asking.translation) && rangesOf(asking.asks, 'dport') !== undefined && isToSelf(cx, asking.translation) === true) own.set(asking.translation.at.rule, asking);
    }
    if (nat === undefined || own.size === 0) return;
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
