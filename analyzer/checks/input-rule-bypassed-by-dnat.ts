import type { Ruleset } from '../model/ruleset.js';
import { bypassedRules, type Bypassed } from './shared/bypassed.js';
import { defineCheck, referenceOf, type Report } from './define-check.js';
import { destinationText, whence } from './shared/nat-words.js';
import { refuses } from './shared/targets.js';
import { translatedStep } from './shared/translated-step.js';
import type { Pipeline } from '../packet-space/pipeline/index.js';

function portText({ ports }: Bypassed): string {
  return ports.map(({ low, high }) => low === high ? String(low) : `${String(low)}:${String(high)}`).slice(0, 4).join(', ');
}

/** Where a rule is to be written that forwarded packets meet: Docker leaves a chain for it (docs.docker.com, "Packet filtering and firewalls"). */
function chainFor({ tables }: Ruleset): string {
  return tables.get('filter')?.chains.has('DOCKER-USER') === true ? 'DOCKER-USER' : 'FORWARD';
}

function report(ruleset: Ruleset, pipeline: Pipeline, found: Bypassed): Report {
  const { at, by, passes, isOneAddress, ports: [first] } = found;
  const opens = !refuses(at.rule);
  const port = first === undefined ? '' : first.low === first.high ? String(first.low) : `${String(first.low)}:${String(first.high)}`;
  const step = translatedStep(pipeline, passes, by, false);
  return {
    at,
    ...isOneAddress ? { severity: 'info' } : {},
    message: `${opens ? 'this rule does not limit who gets to' : 'this rule does not close'} port ${portText(found)}: ${referenceOf(by.at)} sends its packets on to ${destinationText(by)}, so that FORWARD lets them through and INPUT never sees them`,
    because: [{ rule: referenceOf(by.at), line: by.at.rule.line, message: `takes them before: sends them to ${destinationText(by)}` }],
    witness: [step], shows: [{ fate: 'passes', matches: [referenceOf(by.at)], misses: [referenceOf(at)] }],
    help: `say it where they pass, by the port that was dialled: -I ${chainFor(ruleset)}${whence(at.rule, opens)} -p ${String(step.packet['proto'])} -m conntrack --ctorigdstport ${port} --ctdir ORIGINAL -j DROP; or publish the port to fewer`,
  };
}

export const inputRuleBypassedByDnat = defineCheck({
  name: 'input-rule-bypassed-by-dnat',
  kind: 'nat',
  severity: 'warning',
  auditor: 'error',
  summary: 'A rule of INPUT closes or restricts a port that DNAT forwards: it has no effect',
  why: `What a DNAT rule sends to another host, or to a container, passes FORWARD and never INPUT. A rule of INPUT (or of ufw) that
closes a published port, or opens it to some only, is then not asked: Docker publishes a port to everybody, whatever
INPUT says. It is reported when INPUT speaks of the port by name and would drop a packet that gets through. Where the
translation is for one destination address only, it may well be meant so, and is information. An address by which a rule of
INPUT lets the translated packets in is this host's own, unless FORWARD or POSTROUTING name it as well.`,
  bad: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A FORWARD -i docker0 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  good: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -s 192.0.2.0/24 -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A FORWARD -i docker0 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  nearMiss: `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp -m tcp --dport 22 -j DNAT --to-destination 10.0.0.5
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 10.0.0.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -d 10.0.0.5/32 -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -i eth1 -o eth0 -j ACCEPT
COMMIT
`,
  * run(cx) {
    const found = bypassedRules(cx);
    const pipeline = found.size === 0 ? undefined : cx.pipeline();
    if (pipeline === undefined) return;
    for (const one of found.values()) yield report(cx.ruleset, pipeline, one);
  },
});
