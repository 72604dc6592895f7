import { lineText } from '../../grammar/source-text.js';
import type { Chain, Rule, Ruleset, Table } from '../model/ruleset.js';
import { defineCheck, referenceOf, type Report } from './define-check.js';
import { commentsOf, ownerOf } from './shared/owners.js';
import { isCatchAll } from './shared/catch-all.js';
import { isStateMatch } from './shared/state-asked.js';

/** What iptables-save writes of its own accord says nothing about a rule. */
const isRemark = (line: string): boolean => /^\s*#(?!!|\s*(?:Generated|Completed) (?:by|on) )\s*\S/u.test(line);

/** What anybody understands without a word: what lo carries, what a connection's state says, what is left at the end. */
function explainsItself(rule: Rule): boolean {
  const isLo = [rule.inInterface, rule.outInterface].some(one => one !== undefined && !one.negated && one.value.name === 'lo');
  const { source, destination, inInterface, outInterface, protocol, matches } = rule;
  const isState = matches.length > 0 && matches.every(isStateMatch)
    && [source, destination, inInterface, outInterface, protocol].every(one => one === undefined);
  return isLo || isState || isCatchAll(rule);
}

/** The rules of a chain that neither carry a comment nor stand below one; lines without a gap between them share it. */
function* unexplained(ruleset: Ruleset, table: Table, chain: Chain): Generator<{ readonly rule: Rule; readonly position: number }, void> {
  let explained = -1;
  for (const [index, rule] of chain.rules.entries()) {
    const above = rule.line > 1 ? lineText(ruleset.source, rule.line - 1) : '';
    if (isRemark(above) || explained === rule.line - 1) explained = rule.line;
    const at = { table: table.name, chain: chain.name, position: index + 1, rule };
    if (explained !== rule.line && commentsOf(rule).length === 0 && !explainsItself(rule) && ownerOf(ruleset, at) === undefined) yield { rule, position: index + 1 };
  }
}

function report(table: Table, chain: Chain, some: readonly { readonly rule: Rule; readonly position: number }[]): Report | undefined {
  const [first, ...others] = some.map(one => ({ table: table.name, chain: chain.name, ...one }));
  if (first === undefined) return undefined;
  return {
    at: first,
    alike: others.length + 1, message: others.length === 0 ? 'nothing says why this rule is there' : `nothing says why this rule and ${String(others.length)} more of ${chain.name} are there`,
    because: others.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: 'nor this one' })),
    help: 'write -m comment --comment "why" into the rule: it is kept when the rules are saved, which a # line is not',
  };
}

export const missingComment = defineCheck({
  name: 'missing-comment',
  kind: 'hygiene',
  severity: 'info',
  isOff: true,
  summary: 'Nothing says why a rule is there',
  why: `A rule says what it does and not why, and after some years nobody dares to delete it. A comment in the rule (-m comment)
stays with it through iptables-save and iptables-restore; in a file that is kept by hand, a # line above it does as well.
Off by default: whether rules need comments is a matter of the house.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.66/32 -p tcp -m tcp --dport 9100 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.66/32 -p tcp -m tcp --dport 9100 -m comment --comment "monitoring reads metrics" -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
# Monitoring reads metrics.
-A INPUT -s 192.0.2.66/32 -p tcp -m tcp --dport 9100 -j ACCEPT
-A INPUT -s 192.0.2.67/32 -p tcp -m tcp --dport 9100 -j ACCEPT
COMMIT
`,
  * run({ ruleset }) {
    for (const table of ruleset.tables.values()) for (const chain of table.chains.values()) {
      const found = report(table, chain, [...unexplained(ruleset, table, chain)]);
      if (found !== undefined) yield found;
    }
  },
});
