import type { Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { takenInstead } from '../witness/taken-instead.js';
import { defineCheck, fixWith, type CheckContext, type Report } from './define-check.js';
import { duplicatesIn } from './duplicate-rule.js';
import { withoutLines } from './shared/edits.js';
import { takesMartiansOnly } from './shared/martians.js';
import { callThatTakes, decideAlike, isLastReturn, isNobodysToMend, listOf, refuseAlike, takersBecause } from './shared/shadows.js';
import { areTranslating } from './shared/taken-by-translation.js';
import { targetText } from './shared/targets.js';

function report(cx: CheckContext, table: Table, at: RuleAt, by: readonly RuleAt[]): Report {
  const { ruleset } = cx;
  const others = by.filter(one => !takesMartiansOnly(cx, table, at, one));
  const isSame = decideAlike(cx, table, at, others.length === 0 ? by : others);
  return {
    at, because: takersBecause(ruleset, by),
    // A program that shadows its own rules takes care of itself; where somebody else does, that is worth knowing if packets fare otherwise for it.
    ...isNobodysToMend(cx, table, at, by) ? { mutedIn: 'generated' as const } : {},
    severity: isLastReturn(table, at) ? 'info' : isSame || refuseAlike(at, by) ? 'warning' : 'error',
    message: `no packet can match this rule: ${listOf(by, at)} ${by.length === 1 ? 'takes' : 'take'} all of them first${isSame || at.rule.target.kind === 'none' ? '' : `, so its ${targetText(ruleset, at)} never happens`}`,
    help: isSame ? 'delete the rule; what it asks for is done before it' : `move it before ${listOf(by.slice(0, 1), at)}, or delete it`,
    ...fixWith('delete the rule', 'safe', withoutLines(ruleset, [at.rule])),
  };
}

export const shadowedRule = defineCheck({
  name: 'shadowed-rule',
  kind: 'reachability',
  severity: 'error',
  claimsDead: true,
  summary: 'No packet can match the rule, because earlier rules take them all',
  why: `Rules are tried in order, and the first that decides ends the matter. A rule whose every packet is taken by
rules before it, by one of them or by several together, never does what it says. It is an error where the
earlier rules decide otherwise (an address that looks blocked is let in), a warning where they decide the same, or drop
what it would reject (loopback addresses from another interface than lo, which the kernel drops itself, do not count), and an info where it is a RETURN at the end of its chain, which does what the end does.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j DROP
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT
-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j REJECT
COMMIT
`,
  * run(cx) {
    const { ruleset, reach, space } = cx;
    for (const table of ruleset.tables.values()) {
      const reached = reach(table);
      for (const chain of table.chains.values()) {
        // A duplicate is reported as such; they are looked for only where some rule is shadowed.
        for (const [index, rule] of chain.rules.entries()) {
          const answer = reached.get(rule);
          if (answer?.kind !== 'shadowed' || duplicatesIn(ruleset, table, chain).has(rule)) continue;
          const at = { table: table.name, chain: chain.name, position: index + 1, rule };
          // What stands behind such a call is reported once, at the call.
          if (callThatTakes(at, answer.by) !== undefined) continue;
          // nat-shadowed tells of these.
          if (areTranslating(at, answer.by)) continue;
          yield { ...report(cx, table, at, answer.by), illustrate: () => takenInstead(space(), table, at, answer.by) };
        }
      }
    }
  },
});
