import type { Ruleset } from '../model/ruleset.js';
import type { Severity } from '../model/diagnostic.js';
import { protocolNumber } from '../packet/protocols.js';
import { stepOf } from '../witness/step.js';
import { deciderBecause } from './shared/deciders.js';
import { isShut } from './shared/default-drop.js';
import { defineCheck, fixWith, type CheckContext, type Report } from './define-check.js';
import { withFirst } from './shared/edits.js';
import { lostNeighbours, lostRouters, neighbourPackets, passesOn, type Kind, type Lost, type LostNeighbours } from './shared/lost-neighbours.js';
import { isNeeded } from './shared/needed-services.js';
import { isRouter } from './shared/routers.js';

function uniqueDeciders(ruleset: Ruleset, lost: readonly Lost[]): ReturnType<typeof deciderBecause>[] {
  const known = new Map<string, ReturnType<typeof deciderBecause>>();
  for (const { messages } of lost) for (const { by, name } of messages) for (const one of by) {
    const because = deciderBecause(ruleset, one, `drops ${name}`);
    if (!known.has(because.rule)) known.set(because.rule, because);
  }
  return [...known.values()];
}

/** `from link-local addresses `. */
function addressWords({ hook, whose, of }: Kind): string {
  if (of === 'any') return '';
  return `${(hook === 'INPUT') === (whose === 'theirs') ? 'from' : 'to'} ${sorts[of]} `;
}

const sorts = { linkLocal: 'link-local addresses', global: 'other than link-local addresses', internet: 'addresses of the internet (2000::/3)' } as const;
const finders = { any: 'neighbours', linkLocal: 'routers', global: 'neighbours that use such addresses', internet: 'neighbours that use such addresses' } as const;

/** What comes of it. */
function consequence(cx: CheckContext, { hook, whose, of, areLeftOut }: LostNeighbours): string {
  const unless = areLeftOut ? ', unless that is a tunnel, which has none' : '';
  if (whose === 'theirs') return `${finders[of]} cannot find this host${hook === 'INPUT' || of === 'any' ? ', nor it them' : ''}${unless}`;
  const asks = of !== 'linkLocal' ? 'by the address from which it then sends' : `by these ${asksForOthers(cx) ? 'for those to whom it passes packets on' : 'whether a neighbour is still there'}`;
  return `this host asks ${asks}, and gets no answer${unless}`;
}

/** A router asks by its link-local address for those to whom it passes something on. */
function asksForOthers(cx: CheckContext): boolean {
  return isRouter(cx) && passesOn(cx);
}

function severityOf(cx: CheckContext, { whose, of, areLeftOut }: LostNeighbours): Severity {
  if (areLeftOut || (whose === 'own' && of === 'linkLocal' && !asksForOthers(cx)) || (whose === 'theirs' && of === 'internet')) return 'info';
  return whose === 'own' || of === 'global' ? 'warning' : 'error';
}

const peers = { linkLocal: ['fe80::2', 'fe80::1'], global: ['2001:db8::2', '2001:db8::1'] } as const;
const words = { INPUT: { goes: 'come in', help: 'let them in' }, OUTPUT: { goes: 'go out', help: 'let them out' } } as const;

/** `meaning`: what comes of it. */
function report({ ruleset }: CheckContext, { hook, of, lost, meaning }: Pick<LostNeighbours, 'hook' | 'of'> & { readonly lost: readonly Lost[]; readonly meaning: string }): Report | undefined {
  const table = ruleset.tables.get('filter');
  const chain = table?.chains.get(hook);
  const [first] = lost;
  const [message] = first?.messages ?? [];
  if (table === undefined || chain === undefined || first === undefined || message === undefined) return undefined;
  const names = [...new Set(lost.flatMap(({ messages }) => messages.map(one => one.name)))];
  const types = [...new Set(lost.flatMap(({ messages }) => messages.map(one => one.word)))];
  const links = lost.map(({ arrival }) => arrival.words).filter(each => each !== '').join(' or ');
  const { goes, help } = words[hook];
  const [theirs, own] = peers[of === 'global' || of === 'internet' ? 'global' : 'linkLocal'];
  const [src, to] = hook === 'INPUT' ? [theirs, own] : [own, theirs];
  const packet = { src, dst: message.isForGroup ? 'ff02::1:ff00:1' : to, protocol: protocolNumber.icmpv6, icmpType: message.type, icmpCode: 0, ttl: 255 };
  return {
    span: chain.line === 0 ? table.span : chain.span,
    message: `${names.join(' and ')} that ${goes} ${links === '' ? '' : `${links} `}${meaning}`,
    because: uniqueDeciders(ruleset, lost),
    witness: [hook === 'INPUT' ? stepOf(packet, first.arrival.device) : stepOf({ ...packet, out: first.arrival.device }, 'local')],
    shows: [{ fate: 'lost' }],
    help: `${help}: ${types.map(word => `-I ${hook} -p ipv6-icmp -m icmp6 --icmpv6-type ${word} -j ACCEPT`).join('; ')}`,
    ...fixWith(help, 'unsafe', withFirst(ruleset, table, chain, types.map(word => `-p ipv6-icmp -m icmp6 --icmpv6-type ${word} -j ACCEPT`))),
  };
}

function ofNeighbours(cx: CheckContext, found: LostNeighbours): Report | undefined {
  const told = report(cx, { ...found, meaning: `${addressWords(found)}are dropped: ${consequence(cx, found)}` });
  return told === undefined ? undefined : { ...told, severity: severityOf(cx, found), ...found.of !== 'any' || found.areLeftOut ? { certainty: 'possible' as const } : {} };
}

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
get in, and nobody from a link-local address (fe80::/10), from which routers ask mostly, it is told as possible; and so, as a warning, where nobody from another address gets in: by these neighbours on the same link ask. So is it the other way round, where answers to such addresses cannot get out, and where this host itself hears nothing by some of
its own: it asks by the address from which it then sends, and by its link-local one for those to whom it passes packets on. Where it only asks by that whether a neighbour is still there, that is an info.
So it goes where a rule drops all that is for the internet's addresses (2000::/3) behind one for ESTABLISHED packets: what is for this host's own is a warning, what is for those of neighbours an info.
What cannot get out where OUTPUT drops by default is told by \`output-drop-breakage\`. Tunnels have no neighbours, and many are known by their names (\`sit1\`, \`he-ipv6\`);
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
  asks: ({ ruleset }) => ruleset.family === 'ipv6' ? neighbourPackets() : [],
  * run(cx) {
    const { ruleset, settings } = cx;
    const table = ruleset.tables.get('filter');
    if (ruleset.family === 'ipv4' || table === undefined || isShut(cx, table)) return;
    const inward = lostNeighbours(cx, 'INPUT');
    const told = inward !== undefined ? ofNeighbours(cx, inward)
      : report(cx, { hook: 'INPUT', of: 'linkLocal', lost: lostRouters(cx), meaning: 'are dropped: this host learns no address and no route from its router' });
    if (told !== undefined) yield inward === undefined ? { ...told, severity: 'info' } : told;
    const outward = isNeeded(settings, 'neighbour-discovery') ? lostNeighbours(cx, 'OUTPUT') : undefined;
    const also = outward === undefined ? undefined : ofNeighbours(cx, outward);
    if (also !== undefined) yield also;
  },
});
