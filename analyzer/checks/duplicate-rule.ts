import { printBody } from '../model/print.js';
import type { Chain, Rule, Ruleset, Table } from '../model/ruleset.js';
import { defineCheck, referenceOf, type Report } from './define-check.js';
import { isFinal, isStateless } from './targets.js';

/**
 * Later rules of a chain that say exactly what an earlier one says, with the position of that one.
 * A rule that counts, limits or rolls dice may be meant twice, and is none.
 */
export function duplicatesIn(ruleset: Ruleset, table: Table, chain: Chain): ReadonlyMap<Rule, number> {
  const first = new Map<string, number>();
  const duplicates = new Map<Rule, number>();
  const place = { table: table.name, family: ruleset.family, backend: ruleset.backend };
  for (const [index, rule] of chain.rules.entries()) {
    const text = printBody(rule, place);
    const before = first.get(text);
    if (before === undefined) first.set(text, index + 1);
    else if (isStateless(ruleset, rule)) duplicates.set(rule, before);
  }
  return duplicates;
}

function report(table: Table, chain: Chain, rule: Rule, before: number): Report {
  const at = { table: table.name, chain: chain.name, position: chain.rules.indexOf(rule) + 1, rule };
  const earlier = chain.rules[before - 1];
  return {
    at,
    message: isFinal(rule)
      ? `this rule repeats rule ${String(before)} of the chain word for word, and never sees a packet`
      : `this rule repeats rule ${String(before)} of the chain word for word, so a packet that matches both goes through the same twice`,
    because: earlier === undefined ? [] : [{ rule: referenceOf({ ...at, position: before, rule: earlier }), line: earlier.line, message: 'the same rule' }],
    help: 'delete one of the two',
  };
}

export const duplicateRule = defineCheck({
  name: 'duplicate-rule',
  severity: 'warning',
  summary: 'The rule says word for word what an earlier rule of its chain says',
  why: `The first of two equal rules takes every packet, so the second is dead weight: a script that was run twice,
or a paste. It is a trap as well: whoever changes or deletes one of the two is surprised by the other.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`,
  * run({ ruleset, reach }) {
    for (const table of ruleset.tables.values()) for (const chain of table.chains.values()) {
      for (const [rule, before] of duplicatesIn(ruleset, table, chain)) {
        // Between the two a mark may be set, and then the second means something else.
        if (isFinal(rule) && reach(table).get(rule)?.kind === 'live') continue;
        yield report(table, chain, rule, before);
      }
    }
  },
});
