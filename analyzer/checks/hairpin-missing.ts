import { firstPacket, isCertain, nextPacket, onward, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { all, is, type Constraint } from '../packet/constraint.js';
import { printAddressMask } from '../values/address-mask.js';
import { maskAddress, prefixMask, printAddress } from '../values/address.js';
import { stepOf } from '../witness/step.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import type { InnerNetwork } from './shared/inner-network.js';
import { liveTranslations, pathsBehind, type Asking } from './shared/nat-rules.js';
import { destinationText, optionsBehind } from './shared/nat-words.js';
import { insideOf, isForNeighbours, type Inside } from './shared/neighbours.js';

const budget = { packets: 500, work: 100_000 };
/** Asked about no more rules than these. */
const questionLimit = 200;

function packetsOf({ client, asked, where: { device } }: Inside): Constraint {
  const by = (field: 'in' | 'out'): Constraint => ({ kind: 'interface', field, name: device, prefix: false });
  return all([is('src', client), is('dst', asked), is('sport', 40_000), is('fragment', 0), is('mark', 0), by('in'), by('out')]);
}

/** As it leaves it still comes from who asked: the server answers him directly. */
function isUntranslated(pipeline: Pipeline, found: Sighting): boolean {
  const { sample, trip } = firstPacket(pipeline, found);
  return nextPacket(pipeline, trip, sample, {})?.src === sample.src;
}

function networkText({ ruleset: { family } }: CheckContext, { network: { low, high } }: InnerNetwork): string {
  const span = BigInt(high) - BigInt(low);
  const length = (family === 'ipv4' ? 32 : 128) - span.toString(2).length;
  const mask = prefixMask(length, family);
  return printAddressMask({ address: maskAddress(low, mask), mask, hostBits: false });
}

function report(cx: CheckContext, pipeline: Pipeline, { translation, asks }: Asking, inside: Inside, found: Sighting): Report {
  const { at } = translation;
  const { where: { device, isKnown }, client, server, asked, isAssumed } = inside;
  const network = networkText(cx, inside.where);
  const { sample } = firstPacket(pipeline, found, packetsOf(inside));
  const isProxy = isForNeighbours(cx, { translation, asks }, inside);
  const others = { ...translation, at: { ...at, rule: { ...at.rule, source: undefined, inInterface: undefined } } };
  return {
    at,
    severity: isKnown || (isProxy && !isAssumed) ? 'warning' : 'info',
    ...isAssumed ? { certainty: 'possible' } : {},
    message: `whoever is ${isAssumed ? `behind ${device}` : `in ${network}`} and asks for ${isProxy ? `any server, as ${printAddress(asked)},` : printAddress(asked)} is sent to ${destinationText(translation)}${isAssumed ? ', and if that is another host there, it' : ' in the same network, which'} answers him directly: he expects ${printAddress(asked)} to answer, and rejects that`,
    witness: [{ ...stepOf({ ...sample, src: printAddress(client), dst: printAddress(asked), sport: 40_000, in: device, out: device }, device), sentOn: { address: printAddress(server), device } }],
    shows: [{ matches: [referenceOf(at)], fate: 'passes', leavesFrom: printAddress(client) }],
    help: `translate the source as well, so that the answer comes back by this host: -t nat -A POSTROUTING -s ${network} ${optionsBehind(asks, others)} -j MASQUERADE`,
  };
}

export const hairpinMissing = defineCheck({
  name: 'hairpin-missing',
  kind: 'nat',
  severity: 'warning',
  summary: 'A published service does not work from its own network by the outer address',
  why: `Where a service inside is published by DNAT, people in the server's own network may ask for it by the outer address too: its
name leads there. DNAT sends them to the server, which sees a neighbour and answers him directly, past this host. The
neighbour asked somebody else, and rejects what he gets. The source must be translated as well, for these connections only
(hairpin NAT); or names must lead to the inner address inside. It is reported where the host's interfaces (\`--host\`) show
that server and client are neighbours; where only the rules name a network with the server in it, that is an info, unless the translation is for all that people of that network
send to any server. Where the rules name no network, and such a translation is for the only interface that leads inside (DNS forced to a server of one's own), or excepts the server's network (\`! -d\`), it is a possible info.`,
  bad: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.5
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -i eth1 -m conntrack --ctstate NEW -j ACCEPT
-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  good: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.5
-A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.5/32 -p tcp -m tcp --dport 443 -j MASQUERADE
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -i eth1 -m conntrack --ctstate NEW -j ACCEPT
-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  nearMiss: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.5
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -i eth1 -m conntrack --ctstate NEW -j ACCEPT
-A FORWARD -d 10.0.0.5/32 -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  * run(cx) {
    let left = questionLimit;
    for (const asking of liveTranslations(cx, 'destination')) {
      const inside = pathsBehind(cx, asking.translation).includes('through') ? insideOf(cx, asking) : undefined;
      const pipeline = inside === undefined ? undefined : cx.pipeline();
      if (inside === undefined || pipeline === undefined) continue;
      if (left-- <= 0) {
        cx.undecided();
        return;
      }
      const answer = onward(pipeline, asking.translation.at.rule, { path: 'through', packets: packetsOf(inside), budget: solveBudget(budget.packets, budget.work) });
      if (answer.kind === 'undecided') cx.undecided();
      if (answer.kind !== 'passes' || !isUntranslated(pipeline, answer.found)) continue;
      // That the outer address is the host's own goes without saying.
      if (isCertain(pipeline, answer.found, property => property.startsWith('addrtype'))) yield report(cx, pipeline, asking, inside, answer.found);
    }
  },
});
