import { isOpaque, type Chain, type Rule, type Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { reachWith } from '../packet-space/index.js';
import { RuleConstraints } from '../packet-space/rule-constraint.js';
import { ctstates, is, type Constraint } from '../packet/constraint.js';
import { defineCheck, type CheckContext } from './define-check.js';
import { effectOf } from './targets.js';

/** Fewer are not worth a word. */
const worthAWord = 10;

function isInterface(one: Constraint): boolean {
  return one.kind === 'interface' || (one.kind === 'not' && one.of.kind === 'interface');
}

/** It asks for the state and for nothing else, but perhaps for an interface. */
function asksOnlyForState({ source, destination, protocol, fragment, matches }: Rule, constraint: Constraint): boolean {
  const known = matches.flatMap(use => isOpaque(use) ? [] : [use.definition.name]);
  const isOnly = known.length === matches.length && [source, destination, protocol, fragment].every(one => one === undefined);
  const parts = constraint.kind === 'all' ? constraint.of : [constraint];
  const isState = (one: Constraint): boolean => one.kind === 'within' && one.field === 'ctstate';
  return isOnly && parts.some(isState) && parts.every(one => isState(one) || isInterface(one));
}

/** Through how many rules a packet goes at least before it comes to a chain. */
function before(table: Table, chain: Chain, seen: ReadonlySet<string> = new Set()): number {
  if (chain.hook !== undefined) return 0;
  let least = Infinity;
  for (const caller of table.chains.values()) {
    const at = seen.has(caller.name) ? -1 : caller.rules.findIndex(({ target }) => target.kind === 'chain' && target.name === chain.name);
    if (at >= 0) least = Math.min(least, at + 1 + before(table, caller, new Set([...seen, chain.name])));
  }
  return least;
}

/** The first rule that lets known connections pass in each chain, where it is the first of all that do. */
function firstRule(cx: CheckContext, table: Table, chain: Chain, constraints: RuleConstraints): RuleAt | undefined {
  const index = chain.rules.findIndex(rule => effectOf(rule) === 'accept' && asksOnlyForState(rule, constraints.of(rule)));
  const rule = chain.rules[index];
  const at = rule === undefined ? undefined : { table: table.name, chain: chain.name, position: index + 1, rule };
  return at !== undefined && reachWith(cx.space(), table, at, is('ctstate', ctstates.ESTABLISHED)).kind === 'live' ? at : undefined;
}

export const establishedRuleLate = defineCheck({
  name: 'established-rule-late',
  kind: 'conversations',
  severity: 'info',
  mutedIn: 'generated',
  summary: 'Packets of known connections pass many rules before the one that lets them in',
  why: `Nearly all packets belong to connections that are known already. Each is compared with every rule in front of the one
that lets it pass, so that this rule should be among the first: behind lo, and before lists of ports and addresses.
What stands before it also decides about connections under way: an address that is blocked there is cut off in
the midst of them, which may be what you want. Ten rules and more are reported.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A INPUT -s 192.0.2.1/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 192.0.2.9/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 192.0.2.33/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 192.0.2.64/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 198.51.100.1/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 198.51.100.7/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A INPUT -s 192.0.2.1/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -s 192.0.2.9/32 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:known - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -j known
-A INPUT -s 192.0.2.1/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 192.0.2.9/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 192.0.2.33/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 192.0.2.64/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 198.51.100.1/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 198.51.100.7/32 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A known -m conntrack --ctstate INVALID -j DROP
-A known -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`,
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined) return;
    const constraints = new RuleConstraints(cx.ruleset, table.name);
    for (const chain of table.chains.values()) {
      const at = chain.rules.length < worthAWord ? undefined : firstRule(cx, table, chain, constraints);
      const count = at === undefined ? 0 : at.position - 1 + before(table, chain);
      if (at === undefined || count < worthAWord || count === Infinity) continue;
      yield {
        at, message: `packets of known connections are compared with ${String(count)} rules before this one lets them pass`,
        help: `move it up, to the beginning of the chain: -I ${chain.name}; what is dropped before it now then goes on until its connections end`,
      };
    }
  },
});
