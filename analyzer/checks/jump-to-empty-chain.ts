import type { Chain, Ruleset, Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { defineCheck, fixWith, referenceOf, type Report } from './define-check.js';
import { withoutLines } from './shared/edits.js';

/** For each empty chain the rules that jump or go there. */
function callers(table: Table, rules: Iterable<RuleAt>): ReadonlyMap<Chain, readonly RuleAt[]> {
  const empty = new Map<Chain, RuleAt[]>();
  for (const at of rules) {
    const { target } = at.rule;
    const callee = target.kind === 'chain' ? table.chains.get(target.name) : undefined;
    if (callee?.hook !== undefined || callee?.rules.length !== 0) continue;
    const some = empty.get(callee);
    if (some === undefined) empty.set(callee, [at]);
    else some.push(at);
  }
  return empty;
}

function report(ruleset: Ruleset, chain: Chain, first: RuleAt, others: readonly RuleAt[]): Report {
  const isGoto = first.rule.target.kind === 'chain' && first.rule.target.goto;
  return {
    at: first,
    alike: others.length + 1, message: isGoto
      ? `chain \`${chain.name}\` is empty: whoever goes there only passes over the rest of this chain`
      : `chain \`${chain.name}\` is empty: this jump does nothing${others.length === 0 ? '' : `, nor do ${String(others.length)} more`}`,
    because: others.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: 'leads to the empty chain as well' })),
    help: `put the rules in that it waits for (-A ${chain.name} …), or delete ${others.length === 0 ? 'the rule' : 'the rules'} and the chain`,
    // Who fills the chain when the host runs needs the jump.
    ...isGoto ? {} : fixWith(others.length === 0 ? 'delete the jump' : 'delete the jumps', 'unsafe', withoutLines(ruleset, [first, ...others].map(({ rule }) => rule))),
  };
}

export const jumpToEmptyChain = defineCheck({
  name: 'jump-to-empty-chain',
  kind: 'reachability',
  severity: 'info',
  mutedIn: 'generated',
  summary: 'A rule leads to a chain without rules',
  why: `A packet that jumps to an empty chain comes straight back. It is harmless where a program fills the chain later, and
a loss where the chain was flushed, or its rules were lost in an edit: then what looks like a filter is none.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:blocked - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -j blocked
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:blocked - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -j blocked
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A blocked -s 203.0.113.0/24 -j DROP
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:f2b-sshd - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j f2b-sshd
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  * run({ ruleset, rules }) {
    for (const table of ruleset.tables.values()) {
      for (const [chain, [first, ...others]] of callers(table, rules(table))) if (first !== undefined) yield report(ruleset, chain, first, others);
    }
  },
});
