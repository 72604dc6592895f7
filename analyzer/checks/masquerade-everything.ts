import { reachWith } from '../packet-space/index.js';
import { firstPacket, isCertain, reachThrough, type Pipeline, type Sighting } from '../packet-space/pipeline/index.js';
import { all, ctstates, is, masked, type Constraint } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import type { Family } from '../values/value.js';
import { stepOf } from '../witness/step.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { liveTranslations } from './shared/nat-rules.js';
import { targetText } from './shared/targets.js';
import type { Translation } from './shared/translations.js';

/** Asked about no more rules than these. */
const questionLimit = 200;

/** A connection of the host to itself, by the loopback address. */
function toItself(family: Family): Constraint {
  const local = family === 'ipv4' ? 0x7f00_0001 : 1n;
  return all([
    is('protocol', protocolNumber.tcp), masked('tcpFlags', 2, 63), is('fragment', 0), is('ctstate', ctstates.NEW), is('mark', 0),
    is('src', local), is('dst', local), { kind: 'interface', field: 'out', name: 'lo', prefix: false },
  ]);
}

function report({ ruleset }: CheckContext, pipeline: Pipeline, { at }: Translation, found: Sighting): Report {
  const { sample } = firstPacket(pipeline, found, toItself(ruleset.family));
  return {
    at,
    message: `${targetText(ruleset, at)} takes what leaves by any interface, lo as well: programs on this host see connections from ${sample.src ?? 'loopback'} come from another address, and servers inside see no client's own`,
    witness: [stepOf({ ...sample, out: 'lo' }, 'local')], shows: [{ matches: [referenceOf(at)] }],
    help: 'name the interface that leads outside (-o eth0), or the networks that are meant (-s 10.0.0.0/8)',
  };
}

export const masqueradeEverything = defineCheck({
  name: 'masquerade-everything',
  kind: 'nat',
  severity: 'warning',
  summary: 'MASQUERADE or SNAT takes everything, whichever way it leaves, and loopback too',
  why: `Source translation is meant for what leaves to the outside. A rule that names neither an interface nor a network takes what the
host says to itself over lo, where it then comes from another address than 127.0.0.1, and every connection that is forwarded
to a server inside: the server's logs, limits and access rules see the gateway in place of the client.`,
  bad: `*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth1 -o eth0 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  good: `*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -o eth0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth1 -o eth0 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  nearMiss: `*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -o lo -j ACCEPT
-A POSTROUTING -s 10.0.0.0/8 -d 10.0.0.0/8 -j ACCEPT
-A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth1 -o eth0 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  asks: ({ ruleset }) => [toItself(ruleset.family)],
  * run(cx) {
    const nat = cx.ruleset.tables.get('nat');
    const packets = toItself(cx.ruleset.family);
    let left = questionLimit;
    for (const { translation } of liveTranslations(cx, 'source')) {
      const { at, hooks } = translation;
      // A rule with an address or an interface of its own is asked only where lo may be meant.
      if (nat === undefined || !hooks.includes('POSTROUTING') || left-- <= 0 || reachWith(cx.space(), nat, at, packets, 'POSTROUTING').kind !== 'live') continue;
      const pipeline = cx.pipeline();
      if (pipeline === undefined) return;
      const answer = reachThrough(pipeline, at.rule, { path: 'loop', packets });
      if (answer.kind === 'undecided') cx.undecided();
      if (answer.kind === 'live' && isCertain(pipeline, answer.found)) yield report(cx, pipeline, translation, answer.found);
    }
  },
});
