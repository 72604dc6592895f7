import { isOpaque, type Chain, type Rule, type Ruleset, type Table } from '../model/ruleset.js';
import type { Decider, RuleAt } from '../packet-space/answers.js';
import { redundant } from '../packet-space/index.js';
import { isNothing } from '../packet-space/packets.js';
import { reachThrough } from '../packet-space/pipeline/index.js';
import { hooksOf } from '../packet-space/pipeline/read-ruleset.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, ctstates, not, type Constraint } from '../packet/constraint.js';
import { deciderBecause, isPolicy } from './shared/deciders.js';
import { defineCheck, fixWith, referenceOf, type CheckContext, type Report } from './define-check.js';
import { deadStates } from './shared/dead-states.js';
import { withoutLines } from './shared/edits.js';
import { lateBlocks } from './shared/late-blocks.js';
import { lateClosings } from './shared/late-closings.js';
import { meantToPrecede, takersBefore } from './shared/late-exemptions.js';
import { isUndeclared } from './shared/parts.js';
import { isCatchAll } from './shared/catch-all.js';
import { effectOf, isFinal, refuses, targetText } from './shared/targets.js';
import { unsentReport } from './shared/unsent.js';

const lastInert = new WeakMap<Chain, number>();

/** The position of the last rule of a chain that could not be read and is taken to do nothing, there being so many; 0 where there is none. */
function lastInertOf(chain: Chain): number {
  let known = lastInert.get(chain);
  if (known === undefined) lastInert.set(chain, known = chain.rules.findLastIndex(rule => rule.isUnread === true && rule.target.kind === 'none') + 1);
  return known;
}

/** Such a rule stands on the way to those that take over: what it does with the packets nobody knows. */
function passesInert({ chains }: Table, { chain, position }: RuleAt, because: readonly Decider[]): boolean {
  const own = chains.get(chain);
  if (own !== undefined && lastInertOf(own) > position) return true;
  return because.some(one => {
    const other = one.chain === chain ? undefined : chains.get(one.chain);
    return other !== undefined && lastInertOf(other) > 0;
  });
}

/** It drops INVALID packets, and nothing else: whoever writes that first of all needs not look for them in what comes behind. */
function isGuard(asks: Constraint, rule: Rule): boolean {
  return effectOf(rule) === 'drop' && asks.kind === 'within' && asks.field === 'ctstate' && asks.ranges.every(({ low, high }) => low === ctstates.INVALID && high === ctstates.INVALID);
}

/** It is the last word of a chain of its own, which drops whatever is led there: that is what the chain is for, whoever leads packets there. */
function isLastWord({ chain, position, rule }: RuleAt, { chains }: Table): boolean {
  const own = chains.get(chain);
  return own?.hook === undefined && own?.rules.length === position && isCatchAll(rule) && refuses(rule);
}

/** It puts senders on a list, or labels connections, besides deciding. */
function remembers({ matches }: Rule): boolean {
  return matches.some(use => !isOpaque(use) && use.definition.remembers === true);
}

/** By a policy that the file does not say: it is ACCEPT where nothing else is loaded, and whatever it was where something is. */
function isUnsaid({ chains, name }: Table, decider: Decider): boolean {
  const chain = isPolicy(decider) ? chains.get(decider.chain) : undefined;
  return name === 'filter' && chain !== undefined && isUndeclared(chain);
}

/** Whether those who decide in its place, as far as they are known, do so for all of its packets: some may be others' behind them, or the policy's. */
function isWhole({ family }: Ruleset, asks: ReturnType<typeof constraintsOf>, { rule }: RuleAt, because: readonly Decider[]): boolean {
  return because.length === 0 || because.some(isPolicy) || isNothing(family, all([asks.of(rule), ...because.flatMap(one => isPolicy(one) ? [] : [not(asks.of(one.rule))])]));
}

/** `late`: rules before it that translate connections for which it seems to be an exemption. */
function report(ruleset: Ruleset, at: RuleAt, because: readonly Decider[], isAll: boolean, [late]: readonly RuleAt[], hook: Chain['hook']): Report {
  // In a built-in chain RETURN leads to the policy, where who comes from other firewalls may take it for "pass".
  const aside = hook !== undefined && effectOf(at.rule) === 'return' && because.some(one => isPolicy(one) && one.policy === 'DROP') ? '; if its packets are to pass, write -j ACCEPT: RETURN leads to the policy here' : '';
  const names = because.map(one => isPolicy(one) ? `the policy ${one.policy} of ${one.chain}` : one.chain === at.chain ? `rule ${String(one.position)}` : referenceOf(one));
  return {
    at,
    because: because.map(one => deciderBecause(ruleset, one, isPolicy(one) ? `the policy ${one.policy} does the same` : `does the same to ${isAll ? '' : 'some '}packets of this rule`)),
    message: `packets match this rule, yet without it all of them would fare the same${names.length === 0 ? '' : `, by ${names.join(', ')}${isAll ? '' : ', and where that does not match, by what stands behind it'}`}`,
    ...late === undefined
      ? { help: `delete it, or keep it for its counters or as a word to the reader${aside}`, ...fixWith('delete the rule', 'safe', withoutLines(ruleset, [at.rule])) }
      : { help: `move it before ${referenceOf(late)}, which translates connections of this rule, if it is to keep them from that; else delete it` },
  };
}

const ways = { INPUT: 'in', FORWARD: 'through', OUTPUT: 'out' } as const;
type Way = keyof typeof ways;

/** What is gone with the packet; a list, a connection or a log keeps the rest. */
const ofPacket: ReadonlySet<string> = new Set(['tcp', 'ttl', 'dscp', 'ecn']);

/** A rule of filter that changes packets (TCPMSS), all of which are dropped behind it: those that pass were let through before. */
function changedInVain(cx: CheckContext, at: RuleAt, table: Table): Report | undefined {
  const { target } = at.rule;
  if (table.name !== 'filter' || target.kind !== 'extension' || target.use.definition.changes?.every(one => ofPacket.has(one)) !== true || effectOf(at.rule) !== 'continue') return undefined;
  const hooks = (hooksOf(table).get(at.chain) ?? []).filter((hook): hook is Way => hook in ways);
  const pipeline = cx.pipeline();
  if (pipeline === undefined || hooks.length === 0) return undefined;
  const answers = hooks.map(hook => reachThrough(pipeline, at.rule, { path: ways[hook], passes: true }));
  if (answers.some(({ kind }) => kind === 'undecided')) cx.undecided();
  if (answers.some(({ kind }) => kind === 'live' || kind === 'undecided')) return undefined;
  return {
    at, severity: 'warning', message: 'the rule changes packets that are all dropped behind it: none of them passes changed',
    help: `write it in table mangle, which is asked first and goes on behind what it accepts: -t mangle -A ${hooks[0] ?? at.chain} … ${targetText(cx.ruleset, at)}; or move it to the front`,
  };
}

export const redundantRule = defineCheck({
  name: 'redundant-rule',
  kind: 'reachability',
  severity: 'info',
  mutedIn: 'generated',
  summary: 'The rule matches packets, yet its removal changes no packet’s fate',
  why: `What the rule decides is what later rules or the policy decide anyway. It costs a comparison for each packet,
and it misleads: changing it, or what follows, does less than it seems. Rules that are redundant one by one need
not be so together, so delete one and look again. (A rule that also logs, marks, counts or keeps a list is not meant, nor one that drops INVALID packets
before anything else is asked, nor one that drops all that is left of a chain of its own.)
It is a warning where a rule of table filter changes packets (\`-j TCPMSS\`), and all of them are dropped behind it: such a rule does something in front of those that accept, or in table mangle.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -s 203.0.113.0/24 -j DROP
COMMIT
`,
  * run(cx) {
    const { ruleset, rules, reach, space, undecided } = cx;
    for (const table of ruleset.tables.values()) {
      const reached = reach(table);
      const asks = constraintsOf(ruleset, table.name);
      // Where a dead rule would take over, the dead one is the one to go, and it is reported as such.
      const isLive = (decider: Decider): boolean => isPolicy(decider) || (reached.get(decider.rule)?.kind === 'live' && !deadStates(cx).has(decider.rule));
      for (const at of rules(table)) {
        if (reached.get(at.rule)?.kind !== 'live') continue;
        const vain = changedInVain(cx, at, table);
        if (vain !== undefined) yield vain;
        if ((!isFinal(at.rule) && effectOf(at.rule) !== 'return') || remembers(at.rule) || isLastWord(at, table) || isGuard(asks.of(at.rule), at.rule)) continue;
        const answer = redundant(space(), table, at);
        if (answer.kind === 'undecided') undecided();
        if (answer.kind !== 'redundant' || !answer.because.every(one => isLive(one) && !isUnsaid(table, one)) || passesInert(table, at, answer.because) || lateClosings(cx).has(at.rule) || lateBlocks(cx).rules.has(at.rule)) continue;
        // Of a rule that waits for what nobody sends never-matches speaks.
        if (unsentReport(cx, table, at) !== undefined) continue;
        const late = table.name === 'nat' ? takersBefore(cx, table, at) : [];
        // Of exemptions that come too late, nat-shadowed speaks.
        if (late.length === 0 || meantToPrecede(cx, table, at).length === 0) yield report(ruleset, at, answer.because, isWhole(ruleset, asks, at, answer.because), late, table.chains.get(at.chain)?.hook);
      }
    }
  },
});
