import { firstPacket, onward, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { all, is, not, type Constraint } from '../packet/constraint.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { isLoopback } from './shared/host-networks.js';
import { letsLoopbackIn } from './shared/martians.js';
import { liveTranslations, type Asking } from './shared/nat-rules.js';
import { destinationText } from './shared/nat-words.js';
import { virtualInterface } from './shared/outside.js';
import { translatedStep } from './shared/translated-step.js';

/** What one rule may cost, and how many are asked about. */
const budget = { packets: 1000, work: 100_000 };
const questionLimit = 100;

/** As people send them, to an address of the host. */
const everyday: Constraint = all([is('fragment', 0), is('mark', 0), is('connmark', 0)]);
const shown = { ipv4: is('dst', 0xc000_0201), ipv6: is('dst', (0x2001_0db8n << 96n) + 1n) } as const;

/** First packets that the rule sends there, and that all rules let in. */
function letIn(cx: CheckContext, pipeline: Pipeline, { translation, asks }: Asking): { readonly found: Sighting; readonly packets: Constraint } | undefined {
  for (const packets of [all([everyday, not(virtualInterface('in')), shown[cx.ruleset.family]]), everyday]) {
    const answer = onward(pipeline, translation.at.rule, { path: 'in', packets, budget: solveBudget(budget.packets, budget.work) });
    if (answer.kind === 'undecided') cx.undecided();
    if (answer.kind === 'passes') return { found: answer.found, packets: all([asks, packets]) };
  }
  return undefined;
}

function report(cx: CheckContext, pipeline: Pipeline, { translation }: Asking, { found, packets }: { readonly found: Sighting; readonly packets: Constraint }, isKnown: boolean): Report {
  const { at, ports } = translation;
  const isV4 = cx.ruleset.family === 'ipv4';
  const [port] = ports ?? [];
  const device = at.rule.inInterface === undefined || at.rule.inInterface.negated || at.rule.inInterface.value.prefix ? firstPacket(pipeline, found, packets).sample.in ?? 'all' : at.rule.inInterface.value.name;
  return {
    at,
    ...isKnown ? { severity: 'error' } : { certainty: 'possible' },
    message: `connections are sent to ${destinationText(translation)}, and do not get there: the kernel takes nothing for a loopback address by other interfaces than lo${isV4 && !isKnown ? ', unless route_localnet is set' : ''}`,
    ...isV4 ? { witness: [translatedStep(pipeline, found, translation, true, packets)], shows: [{ fate: 'lost', by: ['kernel: martian'], matches: [referenceOf(at)] }] } : {},
    help: `have the program listen on an address of the host as well, and write -j REDIRECT${port === undefined ? '' : ` --to-ports ${String(port.low)}${port.low === port.high ? '' : `-${String(port.high)}`}`}${isV4 ? `; or set net.ipv4.conf.${device}.route_localnet to 1, and keep others from what listens on lo: -t raw -I PREROUTING ! -i lo -d 127.0.0.0/8 -j DROP` : ''}`,
  };
}

const filter = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m multiport --dports 22,8080 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`;

export const dnatToLoopback = defineCheck({
  name: 'dnat-to-loopback',
  kind: 'nat',
  severity: 'warning',
  summary: 'Connections from outside are sent to a loopback address, where the kernel lets none arrive',
  why: `A program that listens on 127.0.0.1 only cannot be published by DNAT alone. Behind PREROUTING the kernel asks where the packet goes, and what
comes by another interface than lo for an address of 127.0.0.0/8 it drops, without a word in any chain: a *martian*. The sysctl \`route_localnet\` of the interface, or of all,
switches that off, for everything that listens on lo: whoever is on the same network may then send to 127.0.0.1 himself. REDIRECT sends to the address of the interface, and needs no
such switch. What this host sends itself (DNAT in OUTPUT) arrives. IPv6 has no such switch, and nothing from outside gets to \`::1\`. Where the host is not known (\`--host\`) it is only possible,
for nobody knows how the switch is set.`,
  bad: `*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 127.0.0.1:8080
COMMIT
${filter}`,
  good: `*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080
COMMIT
${filter}`,
  nearMiss: `*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A OUTPUT -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 127.0.0.1:8080
COMMIT
${filter}`,
  * run(cx) {
    let left = questionLimit;
    for (const asking of liveTranslations(cx, 'destination')) {
      const { translation: { address, hooks } } = asking;
      if (typeof address === 'string' || !address.every(isLoopback) || !hooks.includes('PREROUTING')) continue;
      const isOn = letsLoopbackIn(cx, asking.translation.at.rule);
      const pipeline = isOn === true ? undefined : cx.pipeline();
      if (pipeline === undefined) continue;
      if (left-- <= 0) {
        cx.undecided();
        return;
      }
      const found = letIn(cx, pipeline, asking);
      if (found !== undefined) yield report(cx, pipeline, asking, found, isOn === false);
    }
  },
});
