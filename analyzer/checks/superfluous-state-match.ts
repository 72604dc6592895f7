import type { Because } from '../finding.js';
import type { Table } from '../model/ruleset.js';
import type { Reach, RuleAt } from '../packet-space/answers.js';
import { reachWith } from '../packet-space/index.js';
import { constraintsOf, type RuleConstraints } from '../packet-space/rule-constraint.js';
import { ctstates, is, oneOf, type Constraint } from '../packet/constraint.js';
import { takenInstead } from '../witness/taken-instead.js';
import { acceptsAll } from './shared/accepting.js';
import { conjuncts, hasConjunct } from './shared/conjuncts.js';
import { deadElsewhere } from './shared/dead-elsewhere.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { statesOf } from './shared/replies.js';
import { refuses } from './shared/targets.js';
import { theSame } from './shared/the-same.js';

type State = keyof typeof ctstates;
const states: readonly State[] = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED'];

const isState = (part: Constraint): boolean => part.kind === 'within' && part.field === 'ctstate';

/** The states that a rule asks for; undefined where it asks for none, or also for something else of the connection. */
function statesAsked(constraint: Constraint): readonly State[] | undefined {
  if (!hasConjunct(constraint, isState)) return undefined;
  const asked = conjuncts(constraint).filter(isState);
  const [one] = asked;
  if (asked.length !== 1 || one?.kind !== 'within') return undefined;
  return states.filter(state => one.ranges.some(({ low, high }) => low <= ctstates[state] && ctstates[state] <= high));
}

/** States that the rule asks for and that no packet has which comes to it, and who takes those. */
interface Idle {
  readonly at: RuleAt;
  readonly left: readonly State[];
  readonly idle: readonly State[];
  /** States that the rule does not ask for, but for those that are taken before it as well. */
  readonly kept: readonly State[];
  readonly by: readonly RuleAt[];
}

/** What rules that take all packets of one state take of others: they ask for these in the same breath. */
function alsoTaken(by: readonly RuleAt[], constraints: RuleConstraints): readonly State[] {
  const asked = by.map(one => statesAsked(constraints.of(one.rule)) ?? []);
  return states.filter(state => asked.every(some => some.includes(state)));
}

function idleIn(cx: CheckContext, table: Table, constraints: RuleConstraints, at: RuleAt, asked: readonly State[]): Idle | undefined {
  const answers = asked.map((state): readonly [State, Reach] => [state, reachWith(cx.space(), table, at, is('ctstate', ctstates[state]))]);
  const left = answers.filter(([, answer]) => answer.kind === 'live').map(([state]) => state);
  const isTaken = ([, answer]: readonly [State, Reach]): boolean => answer.kind === 'shadowed';
  // What the rule asks for is never in some states at all: an echo request is not RELATED.
  const idle = answers.filter(one => isTaken(one) || one[1].kind === 'contradiction');
  if (!left.includes('NEW') || !idle.some(isTaken) || left.length + idle.length < asked.length) return undefined;
  const by = new Map(idle.flatMap(([, answer]) => answer.kind === 'shadowed' ? answer.by : []).map(one => [referenceOf(one), one]));
  const takers = [...by.values()];
  const taken = alsoTaken(takers, constraints);
  return { at, left, idle: idle.map(([state]) => state), kept: states.filter(state => !asked.includes(state) && !taken.includes(state)), by: takers };
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}

function reportIdle(cx: CheckContext, table: Table, [first, ...others]: readonly [Idle, ...Idle[]]): Report {
  const { at, left, idle, kept, by } = first;
  const [takes, leaves] = refuses(at.rule) ? ['takes', 'leaves'] : ['lets pass', 'keeps out'];
  const taken = by.map((one): Because => ({ rule: referenceOf(one), line: one.rule.line, message: `takes ${listed(idle)} packets before` }));
  const same = theSame(others.map(one => one.at));
  return {
    at,
    alike: others.length + 1, message: `no ${listed(idle)} packet comes to this rule${others.length === 0 ? '' : ` (nor to ${String(others.length)} more of this chain)`}, so that asking for ${idle.length === 1 ? 'it' : 'them'} changes nothing: the match ${takes} ${listed(left)}${kept.length === 0 ? '' : `, and ${leaves} ${listed(kept)}`}`,
    because: [...taken, ...same],
    illustrate: () => takenInstead(cx.space(), table, at, by, oneOf('ctstate', idle.map(state => ctstates[state]))),
    help: `ask for what can come: -m conntrack --ctstate ${left.join(',')}`,
  };
}

function reportEmpty(at: RuleAt): Report {
  return { at, message: 'every packet is in one of these states: the match asks for nothing', help: 'leave the match out; or leave out INVALID, if these packets are not wanted' };
}

/** Every packet is in one of them; without NOTRACK, only neighbour discovery (IPv6) is UNTRACKED. */
function areAll(cx: CheckContext, asked: readonly State[]): boolean {
  const mayBeUntracked = cx.ruleset.family === 'ipv6' || statesOf(cx.ruleset).first.kind !== 'within' || cx.ruleset.tables.has('raw');
  return states.every(state => asked.includes(state) || (state === 'UNTRACKED' && !mayBeUntracked));
}

export const superfluousStateMatch = defineCheck({
  name: 'superfluous-state-match',
  kind: 'conversations',
  severity: 'info',
  mutedIn: 'generated',
  summary: 'A state that the rule asks for never comes to it, or all states do',
  why: `Where an earlier rule has let all ESTABLISHED packets pass, a rule that asks for \`NEW,ESTABLISHED\` sees none of them.
It reads as if it let connections go on, and would be changed or removed with care for nothing; what the match
really does is to keep INVALID and untracked packets out. A rule that drops \`NEW,ESTABLISHED\` behind it cuts no connection that goes on: where that is meant, it belongs in front. A match that asks for every state there is does nothing at all.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -i eth0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m conntrack --ctstate RELATED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT
COMMIT
`,
  * run(cx) {
    const table = cx.ruleset.tables.get('filter');
    if (table === undefined) return;
    const constraints = constraintsOf(cx.ruleset, table.name);
    const found = new Map<string, [Idle, ...Idle[]]>();
    for (const at of cx.rules(table)) {
      const asked = statesAsked(constraints.of(at.rule));
      if (asked === undefined || asked.length < 2 || !(acceptsAll(table, at.rule) || refuses(at.rule))) continue;
      if (areAll(cx, asked)) yield reportEmpty(at);
      const idle = idleIn(cx, table, constraints, at, asked);
      // Of a rule to which no packet comes at all another check speaks.
      if (idle === undefined || deadElsewhere(cx).has(at.rule)) continue;
      const key = [at.chain, String(refuses(at.rule)), ...idle.idle, ...idle.by.map(referenceOf)].join(' ');
      const known = found.get(key);
      if (known === undefined) found.set(key, [idle]);
      else known.push(idle);
    }
    for (const some of found.values()) yield reportIdle(cx, table, some);
  },
});
