import { ctstates, not, oneOf } from '../packet/constraint.js';
import { reachWith } from '../packet-space/index.js';
import { Patience } from '../packet-space/patience.js';
import { stateReach } from '../packet-space/pipeline/index.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { meet, rangesOf } from './shared/asked.js';
import { awaitsData } from './shared/awaited-data.js';
import { defineCheck } from './define-check.js';
import { asksForState } from './shared/state-asked.js';

const underWay = oneOf('ctstate', [ctstates.ESTABLISHED, ctstates.RELATED]);
const others = not(underWay);
const waited = rangesOf(underWay, 'ctstate');

export const deadStateMatch = defineCheck({
  name: 'dead-state-match',
  kind: 'conversations',
  severity: 'info',
  mutedIn: 'generated',
  claimsDead: true,
  summary: 'The rule waits for established or related packets, and no connection ever comes to that',
  why: `Connection tracking calls a packet ESTABLISHED or RELATED only when a connection was begun that the rules let
pass. Where no rule ever lets the first packet of a connection through, or all of it is exempt from tracking, there
is none, and a rule that waits for such packets does nothing. It is often a rest of something that was removed, or
the rule that should have let the first packet in is missing.`,
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
    const patience = new Patience();
    for (const at of cx.rules(table)) {
      const asked = constraints.of(at.rule);
      if (!asksForState(asked) || cx.reach(table).get(at.rule)?.kind !== 'live') continue;
      // Whatever comes to a rule for NEW packets is NEW.
      if (!meet(rangesOf(asked, 'ctstate'), waited)) continue;
      if (reachWith(cx.space(), table, at, others).kind === 'live') continue;
      const pipeline = cx.pipeline();
      if (pipeline === undefined) return;
      const answer = patience.ask(solveBudget(), budget => stateReach(pipeline, at.rule, budget));
      if (answer.kind === 'undecided') cx.undecided();
      // Of rules that wait for what a helper announces another check speaks.
      if (answer.kind !== 'dead' || awaitsData(cx, table, at, asked)) continue;
      yield {
        at, message: 'no packet is ever in the state that this rule waits for: no connection can begin that would come by here',
        help: 'let the first packets of connections in (NEW), or delete the rule',
      };
    }
  },
});
