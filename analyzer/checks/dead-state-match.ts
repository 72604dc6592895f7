import type { Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { awaitsData } from './shared/awaited-data.js';
import { deadStates } from './shared/dead-states.js';
import { defineCheck, type CheckContext, type Report } from './define-check.js';
import { decideAlike, listOf, takersBecause } from './shared/shadows.js';

/** Whether a rule is for what goes over lo alone. */
function isOverLo({ rule: { inInterface, outInterface } }: RuleAt): boolean {
  return [inInterface, outInterface].some(one => one?.negated === false && !one.value.prefix && one.value.name === 'lo');
}

/** A rule whose packets others take, all that there are. */
function taken(cx: CheckContext, table: Table, at: RuleAt, by: readonly RuleAt[]): Report {
  const because = takersBecause(cx.ruleset, by);
  const takers = `${listOf(by, at)} ${by.length === 1 ? 'takes' : 'take'}`;
  if (by.every(isOverLo) && !isOverLo(at)) return {
    at, because,
    message: `no packet that is in the state that this rule waits for comes to it: except over lo, which ${takers} first, no connection can begin that would come by here`,
    help: 'let the first packets of such connections in or out (NEW), or delete the rule',
  };
  return {
    at, because,
    message: `no packet that is in the state that this rule waits for comes to it: ${takers} all of them first`,
    help: decideAlike(cx, table, at, by) ? 'delete the rule; what it asks for is done before it' : `move it before ${listOf(by.slice(0, 1), at)}, or delete it`,
  };
}

export const deadStateMatch = defineCheck({
  name: 'dead-state-match',
  kind: 'conversations',
  severity: 'info',
  mutedIn: 'generated',
  claimsDead: true,
  summary: 'The rule waits for established or related packets, and none ever comes to it',
  why: `Connection tracking calls a packet ESTABLISHED or RELATED only when a connection was begun that the rules let
pass. Where no rule ever lets the first packet of a connection through, or all of it is exempt from tracking, there
is none, and a rule that waits for such packets does nothing. It is often a rest of something that was removed, or
the rule that should have let the first packet in is missing. It does nothing either where the rules before it take all
such packets that there are: behind one rule for ICMP and another for ESTABLISHED packets nothing comes that is RELATED,
as long as no helper announces connections.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i eth1 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`,
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined) return;
    const constraints = constraintsOf(cx.ruleset, table.name);
    for (const { at, by } of deadStates(cx).values()) {
      // Of rules that wait for what a helper announces another check speaks.
      if (by === undefined || awaitsData(cx, table, at, constraints.of(at.rule))) continue;
      yield by.length === 0
        ? {
          at, message: 'no packet is ever in the state that this rule waits for: no connection can begin that would come by here in it',
          help: 'let the first packets of such connections in (NEW), or delete the rule',
        }
        : taken(cx, table, at, by);
    }
  },
});
