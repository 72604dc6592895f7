import type { Ruleset } from '../model/ruleset.js';
import type { Severity } from '../model/diagnostic.js';
import type { Answer, Decider } from '../packet-space/answers.js';
import { ask } from '../packet-space/index.js';
import { question } from '../packet-space/pipeline/index.js';
import { all, always, any, ctstates, is, not, within, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { stepOf } from '../witness/step.js';
import { arrivals, type Arrival } from './shared/arrivals.js';
import { deciderBecause, isPolicy } from './shared/deciders.js';
import { isShut } from './shared/default-drop.js';
import { defineCheck, fixWith, type CheckContext } from './define-check.js';
import { withFirst } from './shared/edits.js';
import { hasNoNeighbours } from './shared/point-to-point.js';
import { notLoopback } from './shared/replies.js';

interface Message {
  readonly type: number;
  readonly name: string;
  readonly word: string;
  readonly to: Constraint;
}

const linkLocal = within('src', 0xfe80n << 112n, (0xfec0n << 112n) - 1n);
const global = any([within('src', 0x2000n << 112n, (0x4000n << 112n) - 1n), within('src', 0xfcn << 120n, (0xfen << 120n) - 1n)]);
/** Of whom nothing gets in. */
const whose = { any: any([linkLocal, global]), linkLocal, global } as const;
/** To the solicited-node group of an address (RFC 4291, 2.7.1), by which a neighbour is looked for first. */
const solicited = within('dst', 0xff02_0000_0000_0000_0000_0001_ff00_0000n, 0xff02_0000_0000_0000_0000_0001_ffff_ffffn);
const toHost = not(within('dst', 0xffn << 120n, (1n << 128n) - 1n));

const needed: readonly [Message, ...Message[]] = [{ type: 135, name: 'neighbour solicitations', word: 'neighbour-solicitation', to: solicited }, { type: 136, name: 'neighbour advertisements', word: 'neighbour-advertisement', to: toHost }];
const fromRouters: Message = { type: 134, name: 'router advertisements', word: 'router-advertisement', to: always };

/** The kernel does not track them (nf_conntrack_icmpv6_error), and takes none that came through a router (RFC 4861, 7.1). */
function packetsOf({ type }: Message): Constraint {
  return all([is('protocol', protocolNumber.icmpv6), is('icmpType', type), is('icmpCode', 0), is('ctstate', ctstates.UNTRACKED), is('ttl', 255), is('fragment', 0)]);
}

interface Lost {
  readonly messages: readonly (Message & { readonly by: readonly Decider[] })[];
  readonly arrival: Arrival;
}

function lostBy(cx: CheckContext, arrival: Arrival, messages: readonly Message[], from: Constraint): Lost {
  const pipeline = cx.pipeline();
  const lost = messages.flatMap(message => {
    const answer = pipeline === undefined ? undefined : question(pipeline, 'in', all([packetsOf(message), from, message.to, arrival.has('in')]), 'accept');
    if (answer?.kind === 'undecided') cx.undecided();
    return answer?.kind === 'no' ? [{ ...message, by: answer.by }] : [];
  });
  return { arrival, messages: lost };
}

/** A rule for ICMPv6 lets it in: where one names a link, others need not be there. */
function isForDiscovery(answer: Answer): boolean {
  return answer.kind === 'yes' && !isPolicy(answer.by) && answer.by.rule.protocol !== undefined;
}

/** Whether the rules that let the lost messages in elsewhere leave this link out by its name: `! -i he0`. */
function isLeftOut(cx: CheckContext, from: Constraint, { arrival, messages }: Lost): boolean {
  const table = cx.ruleset.tables.get('filter');
  if (table === undefined || arrival.name === undefined) return false;
  return messages.every(message => {
    const answer = ask(cx.space(), table, 'INPUT', all([packetsOf(message), from, message.to, notLoopback, not(arrival.has('in'))]), ['accept']);
    const link = answer.kind !== 'yes' || isPolicy(answer.by) ? undefined : answer.by.rule.inInterface;
    return link?.negated === true && arrival.name === `${link.value.name}${link.value.prefix ? '+' : ''}`;
  });
}

/** What is lost on the links on which something else gets in, of those who come `from` such addresses. */
function lostNeighbours(cx: CheckContext, from: Constraint): readonly Lost[] {
  const table = cx.ruleset.tables.get('filter');
  if (table === undefined) return [];
  const other = not(is('protocol', protocolNumber.icmpv6));
  const named = arrivals(cx.ruleset).filter(({ name }) => name !== undefined);
  const isThoughtOf = named.some(one => isForDiscovery(ask(cx.space(), table, 'INPUT', all([packetsOf(needed[0]), one.has('in')]), ['accept'])));
  const used = arrivals(cx.ruleset).filter(one => (one.name === undefined ? !isThoughtOf : !hasNoNeighbours(one.name))
    && ask(cx.space(), table, 'INPUT', all([other, one.has('in')]), ['accept', 'queue', 'unknown']).kind !== 'no');
  return used.map(arrival => lostBy(cx, arrival, needed, from)).filter(({ messages }) => messages.length > 0);
}

interface OfNeighbours {
  readonly lost: readonly Lost[];
  /** Of those with link-local addresses alone, from which routers ask, or of those with others alone: a host asks by the address from which it then sends (ndisc_solicit()). */
  readonly of: keyof typeof whose;
  /** By links that the rules for it leave out by name. */
  readonly areLeftOut: boolean;
}

function lostOfNeighbours(cx: CheckContext): OfNeighbours {
  const leftOut: OfNeighbours[] = [];
  for (const of of ['any', 'linkLocal', 'global'] as const) {
    const lost = lostNeighbours(cx, whose[of]);
    const others = lost.filter(one => !isLeftOut(cx, whose[of], one));
    if (others.length > 0) return { lost: others, of, areLeftOut: false };
    if (lost.length > 0) leftOut.push({ lost, of, areLeftOut: true });
  }
  return leftOut[0] ?? { lost: [], of: 'any', areLeftOut: false };
}

/** Router advertisements alone, which come from link-local addresses (RFC 4861, 6.1.2): a router has no need of them, nor a host that is told its addresses. */
function lostRouters(cx: CheckContext): readonly Lost[] {
  const table = cx.ruleset.tables.get('filter');
  const forwards = table !== undefined && ask(cx.space(), table, 'FORWARD', notLoopback, ['accept', 'queue', 'unknown']).kind !== 'no';
  const lost = forwards ? [] : arrivals(cx.ruleset).map(arrival => lostBy(cx, arrival, [fromRouters], linkLocal));
  return lost.every(({ messages }) => messages.length > 0) ? lost : [];
}

/** Table filter may lose some at all. */
function isDoubtful(cx: CheckContext): boolean {
  const { ruleset: { tables } } = cx;
  const table = tables.get('filter');
  if (table === undefined || isShut(cx, table)) return false;
  return tables.size > 1 || [...needed, fromRouters].some(message => ask(cx.space(), table, 'INPUT', all([packetsOf(message), notLoopback]), ['drop', 'reject', 'queue', 'unknown']).kind !== 'no');
}

function uniqueDeciders(ruleset: Ruleset, lost: readonly Lost[]): ReturnType<typeof deciderBecause>[] {
  const known = new Map<string, ReturnType<typeof deciderBecause>>();
  for (const { messages } of lost) for (const { by, name } of messages) for (const one of by) {
    const because = deciderBecause(ruleset, one, `drops ${name}`);
    if (!known.has(because.rule)) known.set(because.rule, because);
  }
  return [...known.values()];
}

const fromWords = { any: '', linkLocal: 'from link-local addresses ', global: 'from other than link-local addresses ' } as const;
const finders = { any: 'neighbours', linkLocal: 'routers', global: 'neighbours that use such addresses' } as const;

export const neighbourDiscoveryBlocked = defineCheck({
  name: 'neighbour-discovery-blocked',
  kind: 'conversations',
  severity: 'error',
  summary: 'IPv6 does not work: the messages by which neighbours find each other are dropped',
  why: `What ARP is to IPv4, neighbour discovery is to IPv6, and it is made of ICMPv6 packets that pass the firewall: a
host that drops neighbour solicitations and advertisements is not found, and finds nobody, once its neighbours
have forgotten it. Connection tracking leaves them alone: their state is UNTRACKED, so that no rule for
ESTABLISHED packets lets them pass. Hosts that take their addresses and routes from a router need router
advertisements as well; where only these are dropped, it is told as an info.
Neighbours are looked for by a group's address (ff02::1:ff00:0/104), and answer to that of who asked. Where others
get in, and nobody from a link-local address (fe80::/10), from which routers ask mostly, it is told as possible; and so, as a warning, where nobody from another address gets in: by these neighbours on the same link ask. Tunnels have no neighbours, and many are known by their names (\`sit1\`, \`he-ipv6\`);
an interface that is left out by its name (\`! -i eth1 -p ipv6-icmp -j ACCEPT\`) may be one, and is told as a possible info.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT
-A INPUT -d 2001:db8::1/128 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p ipv6-icmp -j ACCEPT
-A INPUT -d 2001:db8::1/128 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:neighbours - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p ipv6-icmp -m hl --hl-eq 255 -j neighbours
-A INPUT -d 2001:db8::1/128 -p tcp -m tcp --dport 22 -j ACCEPT
-A neighbours -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j RETURN
-A neighbours -j ACCEPT
COMMIT
`,
  asks: ({ ruleset }) => ruleset.family === 'ipv6' ? [...[...needed, fromRouters].map(packetsOf), whose.any, solicited, toHost] : [],
  * run(cx) {
    const { ruleset } = cx;
    const table = ruleset.tables.get('filter');
    const input = table?.chains.get('INPUT');
    if (ruleset.family === 'ipv4' || table === undefined || input === undefined || !isDoubtful(cx)) return;
    const neighbours = lostOfNeighbours(cx);
    const { of, areLeftOut } = neighbours;
    const areRouters = neighbours.lost.length === 0;
    const lost = areRouters ? lostRouters(cx) : neighbours.lost;
    const [first] = lost;
    const [message] = first?.messages ?? [];
    if (first === undefined || message === undefined) return;
    const severity: Severity = areRouters || areLeftOut ? 'info' : of === 'global' ? 'warning' : 'error';
    const names = [...new Set(lost.flatMap(({ messages }) => messages.map(one => one.name)))];
    const types = [...new Set(lost.flatMap(({ messages }) => messages.map(one => one.word)))];
    const links = lost.map(({ arrival }) => arrival.words).filter(words => words !== '').join(' or ');
    yield {
      span: input.line === 0 ? table.span : input.span, severity,
      ...of !== 'any' || areLeftOut ? { certainty: 'possible' as const } : {},
      message: `${names.join(' and ')} that come in ${links === '' ? '' : `${links} `}${fromWords[of]}are dropped: ${areRouters ? 'this host learns no address and no route from its router' : `${finders[of]} cannot find this host, nor it them${areLeftOut ? ', unless that is a tunnel, which has none' : ''}`}`,
      because: uniqueDeciders(ruleset, lost),
      witness: [stepOf({ src: of === 'global' ? '2001:db8::2' : 'fe80::2', dst: message.to === solicited ? 'ff02::1:ff00:1' : of === 'global' ? '2001:db8::1' : 'fe80::1', protocol: protocolNumber.icmpv6, icmpType: message.type, icmpCode: 0, ttl: 255 }, first.arrival.device)],
      shows: [{ fate: 'lost' }],
      help: `let them in: ${types.map(word => `-I INPUT -p ipv6-icmp -m icmp6 --icmpv6-type ${word} -j ACCEPT`).join('; ')}`,
      ...fixWith('let them in', 'unsafe', withFirst(ruleset, table, input, types.map(word => `-p ipv6-icmp -m icmp6 --icmpv6-type ${word} -j ACCEPT`))),
    };
  },
});
