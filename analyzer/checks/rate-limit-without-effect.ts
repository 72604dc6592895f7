import { isOpaque, type MatchUse, type Rule, type Ruleset, type Table } from '../model/ruleset.js';
import type { Decider, RuleAt } from '../packet-space/answers.js';
import { ask, otherwise, reachWith } from '../packet-space/index.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, ctstates, is, masked } from '../packet/constraint.js';
import { protocolNumber } from '../packet/protocols.js';
import { acceptsAll } from './shared/accepting.js';
import { deciderBecause, isPolicy } from './shared/deciders.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { hooksInto } from './shared/hooks-into.js';
import { isUnsaid } from './shared/parts.js';
import { notLoopback } from './shared/replies.js';
import { listOf } from './shared/shadows.js';
import { effectOf, isFinal, isStateless, refuses, targetText } from './shared/targets.js';
import { takersOfFirst } from './shared/unbegun.js';

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

function noEffect({ ruleset }: Pick<CheckContext, 'ruleset'>, at: RuleAt, by: readonly Decider[], side: 'below' | 'above'): Report {
  const what = side === 'below' ? 'beyond the limit' : 'within the limit';
  return {
    at, ...by.some(one => isUnsaid({ ruleset }, one)) ? { certainty: 'possible' as const } : {},
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

function examine(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  const { ruleset, space, undecided } = cx;
  const side = sideOf(ruleset, at.rule);
  const effect = acceptsAll(table, at.rule) ? 'accept' : effectOf(at.rule);
  if (side === undefined || (effect !== 'accept' && effect !== 'drop')) return undefined;
  // A chain that accepts does more: it logs.
  const other = isFinal(at.rule) ? otherwise(space(), table, at, 'other') : undefined;
  if (other?.kind === 'undecided') undecided();
  if (other?.kind === 'no') return noEffect(cx, at, other.by, side);
  if (side !== (effect === 'drop' ? 'below' : 'above')) return undefined;
  return otherwise(space(), table, at, effect === 'drop' ? ['accept'] : ['drop']).kind === 'yes' ? upsideDown(ruleset, at, side) : undefined;
}

/** In the midst of a TCP connection. */
const goingOn = all([is('protocol', protocolNumber.tcp), masked('tcpFlags', 16, 63), is('ctstate', ctstates.ESTABLISHED), is('fragment', 0), notLoopback]);

/** A rule that lets packets of known connections pass, and beyond its `limit`, which counts those of all connections together, nothing does. To police by hashlimit is another thing. */
function throttles(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  const isPlain = at.rule.matches.filter(isRate).every(use => !isOpaque(use) && use.definition.name === 'limit');
  if (table.name !== 'filter' || !isPlain || !acceptsAll(table, at.rule) || sideOf(cx.ruleset, at.rule) !== 'below') return undefined;
  const [patient, flood] = [cx.at('patient').ruleset, cx.at('flood')];
  const [without, flooded] = [patient.tables.get('filter')?.chains.get(at.chain)?.rules[at.position - 1], flood.ruleset.tables.get('filter')];
  if (without === undefined || flooded === undefined) return undefined;
  const packets = all([goingOn, constraintsOf(patient, table.name).of(without)]);
  for (const hook of hooksInto(table, at.chain)) {
    if (reachWith(cx.space(), table, at, goingOn, hook).kind !== 'live') continue;
    const beyond = ask(flood.space(), flooded, hook, packets, ['accept', 'queue', 'unknown']);
    if (beyond.kind === 'undecided') cx.undecided();
    if (beyond.kind !== 'no') continue;
    return {
      at,
      message: 'the limit is for packets of known connections as well: beyond it they are dropped, so that all connections together get no further than that',
      help: `let known connections pass in front of it: -I ${hook} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; and limit new ones alone (--ctstate NEW)`,
    };
  }
  return undefined;
}

/**
 * Packets of known connections come to a count of connections. Where a packet ends the only one that is counted, none is left, and connlimit_mt() has no
 * answer to that but to drop it: asked of Linux 6.18, and not so of kernels that add each packet's connection to what they count.
 */
function losesLast(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  const isCount = at.rule.matches.some(use => !isOpaque(use) && use.definition.name === 'connlimit');
  if (!isCount || table.name === 'raw' || table.name === 'nat' || !hooksInto(table, at.chain).some(hook => reachWith(cx.space(), table, at, goingOn, hook).kind === 'live')) return undefined;
  return {
    at, severity: 'info', certainty: 'possible',
    message: 'packets of known connections come to this count as well: where an address’s only connection ends, newer kernels (Linux 6.18) drop the last ACK, or the RST, and who was to get it keeps a dead connection',
    help: 'count first packets alone: --syn (or --ctstate NEW) in front of -m connlimit; or let known connections pass before it',
  };
}

/** A rule that turns away beyond a limit, behind others that have let in all connections that it is for: it counts what is INVALID. */
function behindAll(cx: CheckContext, table: Table, at: RuleAt): Report | undefined {
  const by = refuses(at.rule) && table.name === 'filter' ? takersOfFirst(cx, table, at) : [];
  if (by.length === 0 || !by.every(one => effectOf(one.rule) === 'accept')) return undefined;
  return {
    at,
    message: `the limit has no effect: ${listOf(by, at)} ${by.length === 1 ? 'lets' : 'let'} all connections in before, so that none is ever counted here`,
    because: by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `takes them first: ${targetText(cx.ruleset, one)}` })),
    help: `move it before ${listOf(by.slice(0, 1), at)}`,
  };
}

export const rateLimitWithoutEffect = defineCheck({
  name: 'rate-limit-without-effect',
  kind: 'reachability',
  severity: 'warning',
  mutedIn: 'generated',
  summary: 'A rate limit changes nothing, because what is beyond it fares no otherwise, or does the opposite of what it should',
  why: `A rule with -m limit matches so many packets, and no more; it does nothing to those beyond the limit, which go on to
the next rule. Where that accepts them as well, or the policy does, the limit limits nothing. The other way round, a DROP
with -m limit drops a few packets and lets the flood pass. A rule that turns away beyond a limit, behind another that lets in all
connections that are NEW, never counts any. (To limit how much is logged is another thing, and not meant.)
A limit that packets of known connections come to as well is one for all connections together: what is beyond it is lost in the midst of them, and they hang.
A count of connections (-m connlimit) to which they come drops, in newer kernels (Linux 6.18), the packet that ends an address's only connection: a possible info.`,
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
      const report = at.rule.matches.some(isRate) && cx.reach(table).get(at.rule)?.kind === 'live' ? behindAll(cx, table, at) ?? examine(cx, table, at) ?? throttles(cx, table, at) ?? losesLast(cx, table, at) : undefined;
      if (report !== undefined) yield report;
    }
  },
});
