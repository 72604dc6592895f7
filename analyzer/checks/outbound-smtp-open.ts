import { privateRanges, publicRanges } from '../packet/address-blocks.js';
import type { Ruleset } from '../model/ruleset.js';
import { isUnresolved } from '../model/ruleset.js';
import { firstPacket } from '../packet-space/pipeline/index.js';
import { all, any, ctstates, is, not, within, type Constraint } from '../packet/constraint.js';
import { fullMask, prefixLength } from '../values/address.js';
import { deciderBecause, deciderReference, isPolicy, placeOf } from './shared/deciders.js';
import { defineCheck, type CheckContext } from './define-check.js';
import { letThrough } from './shared/let-through.js';
import { namedPorts, namesAny } from './shared/named-ports.js';
import { isToSelf, liveTranslations } from './shared/nat-rules.js';
import { fromNamedInside, fromOutside, isNamed, knownOutside, virtualInterface } from './shared/outside.js';
import { ownerOf } from './shared/owners.js';
import { isRouter } from './shared/routers.js';
import { firstTo } from './shared/strangers.js';
import { effectOf, isStateless } from './shared/targets.js';
import { saysNothingOf } from './shared/parts.js';
import { filterChain } from './shared/unspoken.js';
import { stepOf } from '../witness/step.js';

/** Networks as small as this are somebody's: servers that may send mail. */
const small = { ipv4: 29, ipv6: 120 } as const;
/** More of them than this, and nothing is asked. */
const most = 60;
/** A mail server somewhere: 198.51.100.25, 2001:db8:1::25. */
const server = { ipv4: 0xc633_6419, ipv6: (0x2001_0db8_0001n << 80n) | 0x25n } as const;

/** Sources that rules name one by one. */
function named({ family, tables }: Ruleset): readonly Constraint[] | undefined {
  const found: Constraint[] = [];
  for (const table of tables.values()) for (const chain of table.chains.values()) for (const { source } of chain.rules) {
    if (source === undefined || isUnresolved(source.value)) continue;
    const { address, mask } = source.value;
    if ((prefixLength(mask) ?? 0) < small[family]) continue;
    found.push(typeof address === 'number' ? within('src', address, address + (0xffff_ffff - Number(mask))) : within('src', address, address | (BigInt(fullMask('ipv6')) ^ BigInt(mask))));
    if (found.length > most) return undefined;
  }
  return found;
}

/** What a rule redirects comes to a program of this host: it does not pass. */
function redirected(cx: CheckContext): Constraint {
  return any([...liveTranslations(cx, 'destination')].flatMap(({ translation, asks }) => translation.hooks.includes('PREROUTING') && isToSelf(cx, translation) === true ? asks : []));
}

/** First packets of any client inside to a mail server outside. */
function mail(cx: CheckContext): Constraint | undefined {
  const { ruleset: { family } } = cx;
  const servers = named(cx.ruleset);
  if (servers === undefined) return undefined;
  const inside = family === 'ipv4' ? privateRanges.ipv4 : publicRanges.ipv6;
  return all([
    { kind: 'within', field: 'src', ranges: inside }, not(any(servers)), is('dst', server[family]), not(redirected(cx)),
    not(fromOutside(cx)), not(virtualInterface('in')), fromNamedInside(cx), fromOutside(cx, 'out'),
    firstTo('tcp', [25]), is('ctstate', ctstates.NEW), is('fragment', 0), is('mark', 0), is('connmark', 0),
  ]);
}

/** Whether some rule does anything with mail by name other than to accept it. */
function hampersMail({ ruleset, rules }: CheckContext): boolean {
  return [...ruleset.tables.values()].some(table => rules(table).some(({ rule }) => {
    const ports = effectOf(rule) === 'accept' && isStateless(ruleset, rule) ? undefined : namedPorts(ruleset, table.name, rule);
    return ports?.protocol === 'tcp' && namesAny(ports, 25, 25);
  }));
}

export const outboundSmtpOpen = defineCheck({
  name: 'outbound-smtp-open',
  kind: 'exposure',
  severity: 'info',
  auditor: 'warning',
  summary: 'Any machine inside may send mail to any server outside',
  why: `Mail programs hand their mail to a relay, by port 587 or 465. Who connects to port 25 of servers all over the world is a mail server, or a machine
that somebody has taken over to send spam: after that the address of the gateway is on lists, and nobody takes its mail any more. It is reported on
gateways where a client inside whom no rule names gets to port 25 outside. Containers and virtual machines of the host itself are not looked at.`,
  bad: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 192.168.5.0/24 -o wan0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i lan0 -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i lan0 -o wan0 -j ACCEPT
COMMIT
`,
  good: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 192.168.5.0/24 -o wan0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i lan0 -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i lan0 -p tcp -m tcp --dport 25 -j REJECT --reject-with tcp-reset
-A FORWARD -i lan0 -o wan0 -j ACCEPT
COMMIT
`,
  nearMiss: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 192.168.5.0/24 -o wan0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i lan0 -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -s 192.168.5.25/32 -i lan0 -o wan0 -p tcp -m tcp --dport 25 -j ACCEPT
-A FORWARD -i lan0 -o wan0 -p tcp -m multiport --dports 80,443,587 -j ACCEPT
COMMIT
`,
  asks: () => [firstTo('tcp', [25])],
  * run(cx) {
    const chain = filterChain(cx, 'FORWARD');
    // Who redirects only may pass nothing on, and says nothing of where the internet is.
    const isGateway = chain !== undefined && isRouter(cx) && (chain.rules.length > 0 || knownOutside(cx) !== undefined);
    const packets = isGateway ? mail(cx) : undefined;
    // What must be in a set, or comes by a bridge, is not any machine's.
    const passing = packets === undefined ? undefined : letThrough(cx, packets, true);
    if (chain === undefined || packets === undefined || passing === undefined) return;
    const { ruleset, pipeline, found, by, certainty } = passing;
    // What docker and the like let out is theirs.
    if (isPolicy(by) ? saysNothingOf(cx, chain) : ownerOf(ruleset, by) !== undefined) return;
    // Where nobody says where the internet is either, it is too much of a guess.
    if (certainty === 'possible' && knownOutside(cx) === undefined) return;
    // Limits and lists that are for mail are there to keep spam in.
    if ((certainty === 'possible' || ruleset !== cx.ruleset) && hampersMail(cx)) return;
    const { sample } = firstPacket(pipeline, found, packets);
    yield {
      ...placeOf(ruleset, by), certainty,
      message: 'any machine inside may send mail to any server outside (tcp/25)',
      because: [deciderBecause(cx.ruleset, by, 'lets it out')],
      witness: [stepOf(sample, sample.in ?? 'eth1')], shows: [{ at: 'filter:FORWARD', fate: 'passes', by: [deciderReference(by)] }],
      help: `let out the mail of the relay only: -I FORWARD ! -s RELAY -o ${sample.out !== undefined && isNamed(cx.ruleset, sample.out) ? sample.out : 'OUTSIDE'} -p tcp --dport 25 -j REJECT --reject-with tcp-reset`,
    };
  },
});
