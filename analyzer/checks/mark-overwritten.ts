import type { Chain, Rule, Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { isNothing } from '../packet-space/packets.js';
import { hooksOf, rewritingsOf } from '../packet-space/pipeline/read-ruleset.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, masked, mentions, not, type Constraint } from '../packet/constraint.js';
import type { Rewriting } from '../packet/rewriting.js';
import { areCovered, meet, rangesOf, without } from './shared/asked.js';
import { deadElsewhere } from './shared/dead-elsewhere.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { hasNotrack } from './shared/replies.js';
import { isStateless, targetText } from './shared/targets.js';

type Setting = Extract<Rewriting, { kind: 'bits' }>;
/** Of a mark from the packet to its connection, or back. */
type Copy = Extract<Rewriting, { kind: 'copy' }>;

/** A rule of a chain, what it asks, and the mark that it sets or copies, where it does that alone. */
interface Step {
  readonly at: RuleAt;
  readonly asks: Constraint;
  readonly sets: Setting | Copy | undefined;
}

/** So much is asked of the rules behind one that sets a mark, in chains of which so many do. */
const limits = { questions: 64, rules: 1000 };
const marks = ['mark', 'connmark'] as const;

function asksForMarks(asks: Constraint): boolean {
  return mentions(asks, marks);
}

/** What a rule writes, where that is a mark and nothing else. To a packet that is not tracked nothing is copied: where some are not, copies are left out. */
function settingOf(cx: CheckContext, table: Table, chain: Chain, rule: Rule): Setting | Copy | undefined {
  const [first, ...others] = rewritingsOf(cx.ruleset, table, rule, hooksOf(table).get(chain.name) ?? []);
  return others.length === 0 && (first?.kind === 'bits' || (first?.kind === 'copy' && !hasNotrack(cx.ruleset))) ? first : undefined;
}

/** Whether nothing is left of what the first writes. */
function isCovered(first: Setting, later: Setting | Copy): boolean {
  const [field, mask] = later.kind === 'bits' ? [later.field, later.mask] : [later.to, later.toMask];
  return first.field === field && ((first.mask | first.value) & ~mask) === 0;
}

/** Whether the marks are the same then. */
function isSame(first: Setting, later: Setting | Copy): boolean {
  return later.kind === 'bits' && ((first.value ^ later.value) & (first.mask | first.value)) === 0;
}

function reads(later: Setting | Copy, { field }: Setting): boolean {
  return later.kind === 'copy' && later.from === field;
}

const parted = ['src', 'dst', 'protocol', 'dport', 'sport'] as const;

/** Whether packets of the one are none of the other's, as far as each says which they are. */
function isWider(one: Constraint, other: Constraint): boolean {
  return parted.some(field => !areCovered(rangesOf(one, field), [rangesOf(other, field)]));
}

function areApart(one: Constraint, other: Constraint): boolean {
  return parted.some(field => !meet(rangesOf(one, field), rangesOf(other, field)));
}

/** The rule behind it that sets another mark for all its packets, with none between them that looks at the mark or takes them elsewhere; `undecided` where that takes too long to tell. */
function overwriterOf({ ruleset }: CheckContext, asks: Constraint, sets: Setting, behind: readonly Step[]): Step | 'undecided' | undefined {
  const packets = without(asks, marks);
  let left = limits.questions;
  const isNone = (other: Constraint): boolean => left-- > 0 && isNothing(ruleset.family, all([...packets, other]));
  for (const step of behind) {
    const isBlind = !asksForMarks(step.asks);
    if (isBlind && step.sets !== undefined && !reads(step.sets, sets)) {
      if (isCovered(sets, step.sets) && !isWider(asks, step.asks) && isStateless(ruleset, step.at.rule) && isNone(not(step.asks))) return step;
    } else if (!(isBlind && step.at.rule.target.kind === 'none') && !areApart(asks, step.asks) && !isNone(step.asks)) break;
    if (left < 0) return 'undecided';
  }
  return left < 0 ? 'undecided' : undefined;
}

/** The rules of a chain whose marks are overwritten, by those that do it. */
function overwrittenIn(cx: CheckContext, table: Table, chain: Chain): ReadonlyMap<Step, readonly [Step, ...Step[]]> {
  const constraints = constraintsOf(cx.ruleset, table.name);
  const steps = chain.rules.map((rule, index): Step => ({ at: { table: table.name, chain: chain.name, position: index + 1, rule }, asks: constraints.of(rule), sets: settingOf(cx, table, chain, rule) }));
  const found = new Map<Step, [Step, ...Step[]]>();
  const setting = steps.filter(({ sets }) => sets !== undefined).length;
  if (setting > limits.rules) cx.undecided();
  if (setting < 2 || setting > limits.rules) return found;
  for (const [index, step] of steps.entries()) {
    const { asks, sets } = step;
    if (sets?.kind !== 'bits' || cx.reach(table).get(step.at.rule)?.kind !== 'live') continue;
    const by = overwriterOf(cx, asks, sets, steps.slice(index + 1));
    if (by === 'undecided') cx.undecided();
    else if (by?.sets !== undefined && !isSame(sets, by.sets) && !isWaitedFor(cx, sets, by.at)) {
      const known = found.get(by);
      if (known === undefined) found.set(by, [step]);
      else known.push(step);
    }
  }
  return found;
}

/** Whether a rule that asks for the mark is told of by `unreachable-rule`, because of the one that sets another. */
function isWaitedFor(cx: CheckContext, { field, value, mask }: Setting, by: RuleAt): boolean {
  const dead = deadElsewhere(cx);
  const given = masked(field, value, mask | value);
  return [...cx.ruleset.tables.values()].some(table => {
    const constraints = constraintsOf(cx.ruleset, table.name);
    return cx.rules(table).some(({ rule }) => dead.get(rule)?.some(one => one.rule === by.rule) === true && !isNothing(cx.ruleset.family, all([constraints.of(rule), given])));
  });
}

function report({ ruleset }: CheckContext, { at: by, sets }: Step, [{ at }, ...others]: readonly [Step, ...Step[]]): Report {
  const [whose, what] = others.length === 0 ? ['the mark that this rule sets is', 'its'] : [`the marks that this rule and ${String(others.length)} more set are`, 'their'];
  return {
    at, alike: others.length + 1,
    message: `${whose} overwritten: rule ${String(by.position)} ${sets?.kind === 'copy' ? `gives all ${what} packets that of their connection` : `sets another for all ${what} packets`}, and nothing looks at it before`,
    because: [
      { rule: referenceOf(by), line: by.rule.line, message: `${sets?.kind === 'copy' ? 'copies over it' : 'sets another'}: ${targetText(ruleset, by)}` },
      ...others.map(one => ({ rule: referenceOf(one.at), line: one.at.rule.line, message: `is overwritten as well: ${targetText(ruleset, one.at)}` })),
    ],
    help: sets?.kind === 'copy' ? `move rule ${String(by.position)} before ${others.length === 0 ? 'this one' : 'these'}: what the connection has first, then what is new` : `packets go on to the next rule behind -j MARK: let these RETURN before rule ${String(by.position)}, or move that to the front`,
  };
}

const marking = (...rules: readonly string[]): string => `*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
${rules.map(rule => `-A PREROUTING ${rule}\n`).join('')}COMMIT
`;

const [few, rest] = ['-s 192.168.7.0/24 -i lan0 -j MARK --set-xmark 0x1/0xffffffff', '-i lan0 -j MARK --set-xmark 0x2/0xffffffff'] as const;

export const markOverwritten = defineCheck({
  name: 'mark-overwritten',
  kind: 'reachability',
  severity: 'warning',
  mutedIn: 'generated',
  summary: 'A mark is set, and a later rule sets another for the same packets before anything looks at it',
  why: `MARK and CONNMARK do not end the chain: what a rule has marked comes to the next one as well, and the last of them counts, not the first.
A rule for some packets in front of one for all others has no effect: routing (\`ip rule … fwmark\`), traffic control and other rules see the second mark only.
\`CONNMARK --restore-mark\` sets one as well, that of the connection, which of a new one is 0: what is marked before it is lost.
It is reported where the later rule of the same chain is for all packets of the earlier one and writes over every bit that this one sets, where no rule between them
asks for the mark, copies it or takes the packets elsewhere. Where rules wait for the first mark in vain, \`unreachable-rule\` says so of these, and names the rule that overwrites it.`,
  bad: marking(few, rest),
  good: marking(rest, few),
  nearMiss: marking(few, '-s 192.168.7.0/24 -i lan0 -j RETURN', rest),
  * run(cx) {
    for (const table of cx.ruleset.tables.values()) for (const chain of table.chains.values()) {
      for (const [by, steps] of overwrittenIn(cx, table, chain)) yield report(cx, by, steps);
    }
  },
});
