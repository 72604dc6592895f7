import { isOpaque, type MatchUse, type Rule, type Ruleset, type Table } from '../model/ruleset.js';
import type { Decider, RuleAt } from '../packet-space/answers.js';
import { otherwise } from '../packet-space/index.js';
import { deciderBecause, isPolicy } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { effectOf, isStateless, targetText } from './shared/targets.js';

/** Matches that count packets or connections, and nothing else: to ask one of them changes nothing for other rules. */
const rates = new Set(['limit', 'hashlimit', 'connlimit']);

function isRate(use: MatchUse): boolean {
  return !isOpaque(use) && rates.has(use.definition.name);
}

/** Whether all limits of a rule match within the limit, or all beyond it; undefined where it has none, or other things that nobody knows. */
function sideOf(ruleset: Ruleset, rule: Rule): 'below' | 'above' | undefined {
  if (!rule.matches.some(isRate)) return undefined;
  const sides = new Set(rule.matches.filter(isRate).map(use => isOpaque(use) ? undefined : use.definition.bounds?.(use.given)));
  const [side, ...others] = sides;
  return others.length === 0 && isStateless(ruleset, { ...rule, matches: rule.matches.filter(use => !isRate(use)) }) ? side : undefined;
}

function nameOf(decider: Decider, at: RuleAt): string {
  if (isPolicy(decider)) return `the policy ${decider.policy} of ${decider.chain}`;
  return decider.chain === at.chain ? `rule ${String(decider.position)}` : referenceOf(decider);
}

function noEffect(ruleset: Ruleset, at: RuleAt, by: readonly Decider[], side: 'below' | 'above'): Report {
  const what = side === 'below' ? 'beyond the limit' : 'within the limit';
  return {
    at,
    message: `the limit has no effect: packets ${what} fare no otherwise, by ${by.slice(0, 3).map(one => nameOf(one, at)).join(', ')}`,
    because: by.map(one => deciderBecause(ruleset, one, `does to packets ${what} what the rule does to the others`)),
    help: effectOf(at.rule) === 'accept' && side === 'below' ? `drop what is beyond: the same rule without the limit and with -j DROP, right behind this one` : 'delete the rule, or change what comes behind it',
  };
}

function upsideDown(ruleset: Ruleset, at: RuleAt, side: 'below' | 'above'): Report {
  const drops = effectOf(at.rule) === 'drop';
  return {
    at,
    message: drops
      ? `the limit is upside down: ${targetText(ruleset, at)} takes the packets within it, and those beyond it are let in`
      : `the limit is upside down: ${targetText(ruleset, at)} takes only the packets beyond it, and those within it are dropped`,
    help: side === 'below' ? 'write -m hashlimit --hashlimit-above … to drop what is beyond, or accept within the limit and drop the rest' : 'write -m hashlimit --hashlimit-upto … to accept what is within',
  };
}

function examine({ ruleset, space, undecided }: CheckContext, table: Table, at: RuleAt): Report | undefined {
  const side = sideOf(ruleset, at.rule);
  const effect = effectOf(at.rule);
  if (side === undefined || (effect !== 'accept' && effect !== 'drop')) return undefined;
  const other = otherwise(space(), table, at, 'other');
  if (other.kind === 'undecided') undecided();
  if (other.kind === 'no') return noEffect(ruleset, at, other.by, side);
  if (side !== (effect === 'drop' ? 'below' : 'above')) return undefined;
  return otherwise(space(), table, at, effect === 'drop' ? ['accept'] : ['drop']).kind === 'yes' ? upsideDown(ruleset, at, side) : undefined;
}

export const rateLimitWithoutEffect = defineCheck({
  name: 'rate-limit-without-effect',
  kind: 'reachability',
  severity: 'warning',
  mutedIn: 'generated',
  summary: 'A rate limit changes nothing, because what is beyond it fares no otherwise, or does the opposite of what it should',
  why: `A rule with -m limit matches so many packets, and no more; it does nothing to those beyond the limit, which go on to
the next rule. Where that accepts them as well, or the policy does, the limit limits nothing. The other way round, a DROP
with -m limit drops a few packets and lets the flood pass. (To limit how much is logged is another thing, and not meant.)`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT
-A INPUT -p tcp -m multiport --dports 22,443 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -m limit --limit 5/min -j LOG --log-prefix "dropped: "
COMMIT
`,
  * run(cx) {
    for (const table of cx.ruleset.tables.values()) for (const at of cx.rules(table)) {
      const report = at.rule.matches.some(isRate) && cx.reach(table).get(at.rule)?.kind === 'live' ? examine(cx, table, at) : undefined;
      if (report !== undefined) yield report;
    }
  },
});
