import { arrivals } from './shared/arrivals.js';
import { deciderBecause } from './shared/deciders.js';
import { defineCheck, fixWith, type Report } from './define-check.js';
import { withFirst } from './shared/edits.js';
import type { CheckContext } from './define-check.js';
import { askedOfErrors, lostErrors, type LostErrors } from './shared/lost-errors.js';
import { namesOutside } from './shared/outside.js';

const rules = { ipv4: ['fragmentation-needed', '-p icmp -m icmp --icmp-type fragmentation-needed'], ipv6: ['packet-too-big', '-p ipv6-icmp -m icmp6 --icmpv6-type packet-too-big'] } as const;

function report(cx: CheckContext, { hook, arrivals: lost, by, areStrangers, shown }: LostErrors): Report {
  const [name, rule] = rules[cx.ruleset.family];
  const [decider] = by;
  const isEverywhere = lost.length === arrivals(cx.ruleset).length;
  const where = isEverywhere ? '' : lost.map(({ words }) => words).join(' or ');
  const isRule = by.length === 1 && decider !== undefined && !('policy' in decider);
  const table = cx.ruleset.tables.get('filter');
  const chain = table?.chains.get(hook);
  const place = chain === undefined || chain.line === 0 ? table?.span : chain.span;
  return {
    ...isRule ? { at: decider } : place === undefined ? {} : { span: place },
    // Nobody knows that there is another.
    ...lost.every(({ name }) => name === undefined) && namesOutside(cx) ? { severity: 'info' as const } : {},
    message: `path MTU black hole: ICMP errors (${name}) about connections that ${hook === 'INPUT' ? 'this host has' : 'are forwarded'} are dropped${where === '' ? '' : ` where they come in ${where}`}${areStrangers ? ', but for those of some routers' : ''}`,
    because: by.map(one => deciderBecause(cx.ruleset, one, `drops ${name}`)),
    witness: shown.steps, shows: shown.shows,
    help: `let them pass: -I ${hook} ${rule} -j ACCEPT`,
    ...table === undefined || chain === undefined ? {} : fixWith('let them pass', 'unsafe', withFirst(cx.ruleset, table, chain, [`${rule} -j ACCEPT`])),
  };
}

export const icmpErrorsDropped = defineCheck({
  name: 'icmp-errors-dropped',
  kind: 'conversations',
  severity: 'warning',
  summary: 'ICMP errors that tell a sender to make its packets smaller are dropped: large transfers hang',
  why: `Where some link on the way takes smaller packets only (tunnels, PPPoE, VPNs), the router before it answers a packet
that is too large with an ICMP error: fragmentation-needed in IPv4, packet-too-big in IPv6. A firewall that drops it
makes a black hole: connections begin, small answers come, and then a page or an upload hangs for ever, for some
peers only. These errors are RELATED to the connection that they are about, and come from routers anywhere, so that it is of no use to let in those of some addresses; where only the word RELATED is missing
from the rule for known connections, \`related-missing\` says so. It is an info where they are lost by interfaces only that no rule names, and the one to the internet is named.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A INPUT -p icmp -j DROP
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A INPUT -p icmp -j DROP
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:icmp-in - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p icmp -g icmp-in
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A icmp-in -p icmp -m icmp --icmp-type 3/4 -j ACCEPT
-A icmp-in -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A icmp-in -m conntrack --ctstate RELATED -p icmp -m icmp --icmp-type 11 -j ACCEPT
COMMIT
`,
  asks: ({ ruleset }) => askedOfErrors(ruleset),
  * run(cx) {
    for (const lost of lostErrors(cx)) if (lost.missing.length === 0) yield report(cx, lost);
  },
});
