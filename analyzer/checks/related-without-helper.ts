import type { RuleAt } from '../packet-space/answers.js';
import { reachWith } from '../packet-space/index.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import type { Illustration } from '../witness/proposal.js';
import { ftpData, unannouncedData } from './shared/announced-data.js';
import { conjuncts } from './shared/conjuncts.js';
import { awaitsData, chainsOfRelated, helperAsked } from './shared/awaited-data.js';
import { attachedHelpers, mayBeAttachedElsewhere } from './shared/connection-helpers.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { effectOf } from './shared/targets.js';

/** By which port each helper finds the connections that it reads along with. */
const usual: ReadonlyMap<string, string> = new Map([
  ['ftp', '-p tcp --dport 21'], ['tftp', '-p udp --dport 69'], ['sip', '-p udp --dport 5060'], ['irc', '-p tcp --dport 6667'],
  ['pptp', '-p tcp --dport 1723'], ['amanda', '-p udp --dport 10080'], ['sane', '-p tcp --dport 6566'], ['netbios-ns', '-p udp --dport 137'], ['snmp', '-p udp --dport 161'],
]);

const paths = { INPUT: 'in', FORWARD: 'through', OUTPUT: 'out' } as const;

/** FTP without its helper: the data connection, which the rule would match if it were RELATED. */
function illustrate(cx: CheckContext, at: RuleAt): Illustration | undefined {
  const [table, pipeline] = [cx.ruleset.tables.get('filter'), cx.pipeline()];
  if (table === undefined || pipeline === undefined) return undefined;
  const asked = conjuncts(constraintsOf(cx.ruleset, table.name).of(at.rule));
  const ends = asked.filter(one => one.kind === 'interface' || (one.kind === 'within' && (one.field === 'src' || one.field === 'dst')));
  for (const hook of ['INPUT', 'FORWARD', 'OUTPUT'] as const) {
    const found = reachWith(cx.space(), table, at, ftpData, hook).kind === 'live' ? unannouncedData(pipeline, at, paths[hook], ends) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function report(cx: CheckContext, [at, ...others]: readonly [RuleAt, ...RuleAt[]], name: string | undefined): Report {
  const helper = name === undefined || name === '' ? 'ftp' : name;
  return {
    at, certainty: 'possible', severity: name === undefined ? 'info' : 'warning',
    message: name === undefined ? 'this rule waits for connections that a helper announces (RELATED, and no ICMP error), and no rule attaches a helper: since Linux 6.0 nothing else does'
      : `this rule waits for connections that the helper ${name === '' ? '' : `${name} `}announces, and no rule attaches it: since Linux 6.0 nothing else does`,
    because: others.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: 'waits for them, too' })),
    ...helper.replace(/-\d+$/u, '') === 'ftp' ? { illustrate: () => illustrate(cx, at) } : {},
    help: `attach it: -t raw -A PREROUTING ${usual.get(helper.replace(/-\d+$/u, '')) ?? '-p tcp --dport PORT'} -j CT --helper ${helper}; or delete the rule`,
  };
}

export const relatedWithoutHelper = defineCheck({
  name: 'related-without-helper',
  kind: 'conversations',
  severity: 'warning',
  summary: 'A rule waits for connections that a helper announces, and no helper is attached',
  why: `The kernel used to attach helpers (FTP, SIP, IRC, …) by itself to whatever went to their usual port. Since Linux 4.7
it does so only where nf_conntrack_helper is set, and since 6.0 not at all: a rule of table raw must say so, by
\`-j CT --helper NAME\`. Without it no connection is ever expected, so that the rule never matches and the data
connections are NEW ones, which are dropped or not by other rules.
It is \`possible\`, because nft or an older kernel may attach the helper.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m conntrack --ctstate RELATED -j ACCEPT
-A INPUT -p tcp -m conntrack --ctstate RELATED -m helper --helper ftp -j ACCEPT
-A INPUT -p tcp -m multiport --dports 21,22 -j ACCEPT
COMMIT
`,
  good: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m conntrack --ctstate RELATED -j ACCEPT
-A INPUT -p tcp -m conntrack --ctstate RELATED -m helper --helper ftp -j ACCEPT
-A INPUT -p tcp -m multiport --dports 21,22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m multiport --dports 21,22 -j ACCEPT
-A INPUT ! -p tcp -m conntrack --ctstate RELATED -j ACCEPT
COMMIT
`,
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined || mayBeAttachedElsewhere(cx.ruleset, cx.host?.sysctls)) return;
    const attached = attachedHelpers(cx).map(({ helper }) => helper);
    const constraints = constraintsOf(cx.ruleset, table.name);
    const within = chainsOfRelated(table, rule => constraints.of(rule));
    const waiting = new Map<string | undefined, [RuleAt, ...RuleAt[]]>();
    for (const at of cx.rules(table)) {
      const name = helperAsked(at);
      const isServed = name === undefined ? attached.length > 0 : attached.some(helper => name === '' || name.startsWith(helper));
      if (effectOf(at.rule) !== 'accept' || isServed || !awaitsData(cx, table, at, constraints.of(at.rule), within)) continue;
      const known = waiting.get(name);
      if (known === undefined) waiting.set(name, [at]);
      else known.push(at);
    }
    for (const [name, rules] of waiting) yield report(cx, rules, name);
  },
});
