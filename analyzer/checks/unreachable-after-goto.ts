import type { Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { takenInstead } from '../witness/taken-instead.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { duplicatesIn } from './duplicate-rule.js';
import { callThatTakes, decideAlike, isDoneByPrograms, isLastReturn, isNobodysToMend, takersBecause } from './shared/shadows.js';
import { targetText } from './shared/targets.js';

/** A rule behind a call, and those who take its packets. */
interface Lost {
  readonly at: RuleAt;
  readonly by: readonly RuleAt[];
}

function report(cx: Pick<CheckContext, 'ruleset' | 'space'>, table: Table, call: RuleAt, lost: readonly Lost[], first: Lost): Report {
  const { ruleset } = cx;
  const { at, by } = first;
  const isGoto = call.rule.target.kind === 'chain' && call.rule.target.goto;
  const others = lost.length - 1;
  const subject = others === 0 ? 'this rule' : `this rule and ${String(others)} more behind it`;
  const isSame = lost.every(one => decideAlike(cx, table, one.at, one.by));
  return {
    at, severity: lost.every(one => isLastReturn(table, one.at)) || (isSame && lost.every(one => isDoneByPrograms(cx, one.at, one.by))) ? 'info' : isSame ? 'warning' : 'error',
    message: isGoto ? `no packet comes to ${subject}: rule ${String(call.position)} (${targetText(ruleset, call)}) leads every packet away, and a goto does not come back`
      : `no packet can match ${subject}: rule ${String(call.position)} (${targetText(ruleset, call)}) leads all to another chain first, and none that ${others === 0 ? 'this one' : 'these'} would match comes back`,
    because: [...takersBecause(ruleset, by), ...lost.slice(1).map(one => ({ rule: referenceOf(one.at), line: one.at.rule.line, message: isGoto ? 'no packet comes here either' : 'no packet can match this one either' }))],
    ...lost.every(one => isNobodysToMend(cx, table, one.at, one.by)) ? { mutedIn: 'generated' as const } : {},
    help: isGoto ? `write -j in place of -g in rule ${String(call.position)}, or move ${others === 0 ? 'the rule' : 'the rules'} before it` : `move ${others === 0 ? 'the rule' : 'the rules'} before rule ${String(call.position)}, or delete ${others === 0 ? 'it' : 'them'}`,
  };
}

export const unreachableAfterGoto = defineCheck({
  name: 'unreachable-after-goto',
  kind: 'reachability',
  severity: 'error',
  claimsDead: true,
  summary: 'Rules stand behind a goto or jump from which no packet comes back',
  why: `A goto (-g) is no call: where its chain ends, the packet goes on behind the rule that *jumped* to the present
chain, or to the policy, and never to the next rule here. So nothing behind a goto that takes every packet is ever
reached. The same holds behind a jump (-j) to a chain that decides about all packets itself.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:services - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -g services
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A services -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:services - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -j services
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A services -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:services - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -g services
-A INPUT -p udp -m udp --dport 443 -j ACCEPT
-A services -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  * run({ ruleset, reach, space }) {
    for (const table of ruleset.tables.values()) {
      for (const chain of table.chains.values()) {
        const byCall = new Map<RuleAt['rule'], { readonly call: RuleAt; readonly lost: Lost[] }>();
        if (!chain.rules.some(({ target }) => target.kind === 'chain')) continue;
        for (const [index, rule] of chain.rules.entries()) {
          const answer = reach(table).get(rule);
          if (answer?.kind !== 'shadowed' || duplicatesIn(ruleset, table, chain).has(rule)) continue;
          const at = { table: table.name, chain: chain.name, position: index + 1, rule };
          const call = callThatTakes(at, answer.by);
          if (call === undefined) continue;
          const group = byCall.get(call.rule);
          if (group === undefined) byCall.set(call.rule, { call, lost: [{ at, by: answer.by }] });
          else group.lost.push({ at, by: answer.by });
        }
        for (const { call, lost } of byCall.values()) {
          const [first] = lost;
          if (first !== undefined) yield { ...report({ ruleset, space }, table, call, lost, first), illustrate: () => takenInstead(space(), table, first.at, first.by) };
        }
      }
    }
  },
});
