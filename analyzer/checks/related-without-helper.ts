import type { RuleAt } from '../packet-space/answers.js';
import { reachWith } from '../packet-space/index.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import type { Illustration } from '../witness/proposal.js';
import { acceptsAll, acceptsForOthers } from './shared/accepting.js';
import { ftpData, unannouncedData } from './shared/announced-data.js';
import { conjuncts } from './shared/conjuncts.js';
import { awaitsData, chainsOfRelated, helperAsked } from './shared/awaited-data.js';
import { attachedHelpers, mayBeAttachedElsewhere } from './shared/connection-helpers.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { ownerOf } from './shared/owners.js';

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
    const found = reachWith(cx.space(), table, at, ftpData, hook).kind === 'live' ? unannouncedData(pipeline, paths[hook], ends, { misses: [referenceOf(at)] }) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A rule that waits, and for what announces it; '': any helper, undefined: it names none. */
interface Waiting {
  readonly at: RuleAt;
  readonly helper: string | undefined;
}

const plain = (helper: string): string => helper.replace(/-\d+$/u, '');

/** How a helper is attached to the connections that it reads along with. */
function attaching(helper: string): string {
  return `-t raw -A PREROUTING ${usual.get(plain(helper)) ?? '-p tcp --dport PORT'} -j CT --helper ${helper}`;
}

/** All that wait for helpers by name are told of once, for they have one cause; so are those that name none. */
function report(cx: CheckContext, [{ at, helper: first }, ...others]: readonly [Waiting, ...Waiting[]]): Report {
  const helpers = [...new Set([first, ...others.map(({ helper }) => helper)])].flatMap(one => one === undefined || one === '' ? [] : [one]);
  const [helper = 'ftp'] = helpers;
  const isMade = [at, ...others.map(one => one.at)].every(one => ownerOf(cx.ruleset, one) !== undefined);
  const who = helpers.length > 1 ? `the helpers ${helpers.join(', ')} announce` : `the helper ${helpers.length === 0 ? '' : `${helper} `}announces`;
  return {
    at, certainty: 'possible', severity: first === undefined || isMade ? 'info' : 'warning', alike: others.length + 1,
    message: first === undefined ? 'this rule waits for connections that a helper announces (RELATED, and no ICMP error), and no rule attaches a helper: since Linux 6.0 nothing else does'
      : `this rule ${others.length === 0 ? 'waits' : `and ${String(others.length)} more wait`} for connections that ${who}, and no rule attaches ${helpers.length > 1 ? 'them' : 'it'}: since Linux 6.0 nothing else does`,
    because: others.map(one => ({ rule: referenceOf(one.at), line: one.at.rule.line, message: 'waits for them, too' })),
    ...first === undefined || first === '' || plain(first) === 'ftp' ? { illustrate: () => illustrate(cx, at) } : {},
    help: `attach ${helpers.length > 1 ? 'those that are needed' : 'it'}: ${attaching(helper)}; or delete the rule${others.length === 0 ? '' : 's'}`,
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
It is \`possible\`, because nft or an older kernel may attach the helper; an info where a program wrote the rules, as FireHOL does for each \`client all\`.`,
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
    const waiting: Waiting[] = [];
    for (const at of cx.rules(table)) {
      const helper = helperAsked(at);
      const isServed = helper === undefined ? attached.length > 0 : attached.some(one => helper === '' || helper.startsWith(one));
      if (acceptsAll(table, at.rule) && !acceptsForOthers(table, at) && !isServed && awaitsData(cx, table, at, constraints.of(at.rule), within)) waiting.push({ at, helper });
    }
    for (const isNamed of [true, false]) {
      const [first, ...others] = waiting.filter(({ helper }) => (helper !== undefined) === isNamed);
      if (first !== undefined) yield report(cx, [first, ...others]);
    }
  },
});
