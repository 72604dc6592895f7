import type { Effect } from '../extensions/define.js';
import { isOpaque, type Chain, type Rule, type Ruleset, type Table } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { generalization, partlyShadowed } from '../packet-space/index.js';
import { defineCheck, referenceOf, type CheckContext, type Report } from './define-check.js';
import { isCatchAll } from './shared/catch-all.js';
import { lateClosings, type LateClosing } from './shared/late-closings.js';
import { destinationText } from './shared/nat-words.js';
import { isOwnDoing, ownerOf } from './shared/owners.js';
import { listOf } from './shared/shadows.js';
import { effectOf, hasUnknown, isFinal, refuses, targetText } from './shared/targets.js';
import { translatedStep } from './shared/translated-step.js';
import { othersTold, theSame } from './shared/the-same.js';
import { withoutFirst, withoutSyn, type WithoutSyn } from './shared/unbegun.js';
import type { Pipeline } from '../packet-space/pipeline/index.js';
import { Patience } from '../packet-space/patience.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { freshBudget } from '../packet-space/search.js';

/** So many rules of a rule set are looked at: each takes a search. */
const lookLimit = 300;

function report(ruleset: Ruleset, at: RuleAt, by: readonly RuleAt[]): Report {
  const takers = listOf(by, at);
  return {
    at,
    ...isOwnDoing(ruleset, at, by) ? { mutedIn: 'generated' as const } : {},
    message: `little is left of this rule: ${takers} ${by.length === 1 ? 'takes' : 'take'} nearly all that it is for, and ${by.length === 1 ? 'does' : 'do'} otherwise`,
    because: by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `takes most of its packets: ${targetText(ruleset, one)}` })),
    help: `if its ${targetText(ruleset, at)} is meant for all of them, move it before ${listOf(by.slice(0, 1), at)}`,
  };
}

function lateReport({ ruleset }: CheckContext, pipeline: Pipeline, { at, by, translation, passes }: LateClosing): Report {
  const owner = ownerOf(ruleset, by) ?? '';
  const before = owner === 'docker' && ruleset.tables.get('filter')?.chains.has('DOCKER-USER') === true ? 'put it into DOCKER-USER, which packets come to first' : `put it first of all: -I ${at.chain}`;
  return {
    at, severity: 'warning',
    message: `this rule does not close what it is about: ${referenceOf(by)} of ${owner} lets everybody in to ${destinationText(translation)} before`,
    because: [
      { rule: referenceOf(translation.at), line: translation.at.rule.line, message: `sends them there: ${targetText(ruleset, translation.at)}` },
      { rule: referenceOf(by), line: by.rule.line, message: `takes their packets before: ${targetText(ruleset, by)}` },
    ],
    witness: [translatedStep(pipeline, passes, translation, false)], shows: [{ fate: 'passes', matches: [referenceOf(translation.at), referenceOf(by)], misses: [referenceOf(at)] }],
    help: `${before}; or publish the port to fewer`,
  };
}

function unbegunReport({ ruleset }: CheckContext, at: RuleAt, by: readonly RuleAt[]): Report {
  return {
    at, severity: 'error',
    ...isOwnDoing(ruleset, at, by) ? { mutedIn: 'generated' as const } : {},
    message: `no connection begins by this rule: the packets that begin them (SYN) are dropped by ${listOf(by, at)}`,
    because: by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `takes SYN packets: ${targetText(ruleset, one)}` })),
    help: `if ${listOf(by.slice(0, 1), at)} is there for NEW packets that begin nothing, write ! before its --syn (or --tcp-flags); else delete one of the two`,
  };
}

/** Rules behind one that turns away all that is NEW: one cause, told once. */
function unopenedReports({ ruleset }: CheckContext, found: readonly WithoutSyn[]): readonly Report[] {
  const groups = new Map<string, [WithoutSyn, ...WithoutSyn[]]>();
  for (const one of found) {
    const key = one.by.map(referenceOf).join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()].map(([{ at, by }, ...others]): Report => ({
    at, severity: 'error',
    ...isOwnDoing(ruleset, at, by) ? { mutedIn: 'generated' as const } : {},
    alike: others.length + 1,
    message: `no connection begins by this rule${others.length === 0 ? '' : ` and ${others.length === 1 ? 'another' : `${String(others.length)} others`}`}: ${listOf(by, at)} ${by.length === 1 ? 'turns' : 'turn'} away all packets that are NEW before, and what is left is INVALID`,
    because: [...by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `takes what is NEW: ${targetText(ruleset, one)}` })), ...theSame(others.slice(0, othersTold).map(one => one.at))],
    help: `move ${others.length === 0 ? 'it' : 'them'} before ${listOf(by.slice(0, 1), at)}, or delete one or the other`,
  }));
}

/** Whatever is not as it must be is turned away (`! -s 192.0.2.0/24 -j DROP`): that is how one says what all that follows is for. */
function isGuard({ source, destination, inInterface, outInterface, protocol, matches }: Rule): boolean {
  return [source, destination, inInterface, outInterface, protocol].some(one => one?.negated === true)
    || matches.some(use => !isOpaque(use) && Object.values(use.given).some(given => given?.negated === true));
}

/** What becomes of packets that a rule takes: whether who sent them is told that they are dropped is no matter. */
function endOf(rule: Rule): Effect | undefined {
  return refuses(rule) ? 'drop' : effectOf(rule);
}

/** What the questions about all rules may cost. */
const hard = { usual: 100_000, together: 6_000_000 };

/** Rules that decide otherwise and take nearly all of a rule's packets, of which some at least were not written as exceptions to it. */
function takersOf({ space, undecided }: CheckContext, table: Table, at: RuleAt, patience: Patience): readonly RuleAt[] {
  const takers = (counts: (rule: Rule) => boolean): readonly RuleAt[] => {
    const partly = patience.ask(freshBudget(), budget => partlyShadowed(space(), table, at, 16, counts, budget));
    if (partly.kind === 'undecided') undecided();
    return partly.kind === 'partly-shadowed' && partly.small === true ? partly.by : [];
  };
  const all = takers(rule => isFinal(rule) && endOf(rule) !== endOf(at.rule) && !isGuard(rule));
  if (all.length === 0) return [];
  const alone = all.find(one => takers(rule => rule === one.rule).length > 0);
  const by = alone === undefined ? all : [alone];
  const general = generalization(space(), table, at);
  const exceptions = general.kind === 'generalization' ? new Set(general.with.map(referenceOf)) : new Set<string>();
  return general.kind === 'undecided' || by.every(one => exceptions.has(referenceOf(one))) ? [] : by;
}

export const partiallyShadowedRule = defineCheck({
  name: 'partially-shadowed-rule',
  kind: 'reachability',
  severity: 'info',
  summary: 'Earlier rules that decide otherwise leave next to nothing of what the rule is for',
  why: `The rule is not dead: a few packets still come to it. But nearly all that it names (fifteen sixteenths and more, as if
all addresses and ports were equally frequent) is taken by earlier rules, which do the opposite. What it looks like
when read by itself is not what it does. Exceptions that were plainly written for the rule are not meant.
It is a warning where a rule of FORWARD closes a port that docker or the like publishes, and stands behind the rules by which that is let in: it stops
nobody. It is an error where the little that is left begins no connection: a rule for NEW packets of TCP to which no SYN comes, because a rule before it drops these, lets nobody in. Nor does one for whatever state, behind a rule that turns away all that is NEW: only INVALID packets come to it.`,
  bad: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 1024:65535 -j DROP
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 1000:65535 -j ACCEPT
COMMIT
`,
  good: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 1000:65535 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 1024:65535 -j REJECT
COMMIT
`,
  nearMiss: `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 1024:2047 -j DROP
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 1000:65535 -j ACCEPT
COMMIT
`,
  * run(cx) {
    let left = lookLimit;
    const patience = new Patience(hard);
    const late = lateClosings(cx);
    const pipeline = late.size === 0 ? undefined : cx.pipeline();
    if (pipeline !== undefined) for (const one of late.values()) yield lateReport(cx, pipeline, one);
    const inVain = withoutSyn(cx).filter(({ by }) => by.length > 0);
    for (const { at, by } of inVain) yield unbegunReport(cx, at, by);
    const unopened = withoutFirst(cx);
    yield* unopenedReports(cx, unopened);
    const told = new Set([...inVain, ...unopened].map(({ at }) => at.rule));
    const ends = new Map<Chain, Set<ReturnType<typeof endOf>>>();
    for (const table of cx.ruleset.tables.values()) for (const at of cx.rules(table)) {
      const effect = effectOf(at.rule);
      const before = ends.get(at.in) ?? new Set<ReturnType<typeof endOf>>();
      const isOpposed = [...before].some(one => one !== endOf(at.rule));
      if (isFinal(at.rule)) ends.set(at.in, before.add(endOf(at.rule)));
      if (!isOpposed) continue;
      if ((effect !== 'accept' && effect !== 'drop' && effect !== 'reject') || isCatchAll(at.rule) || hasUnknown(constraintsOf(cx.ruleset, table.name).of(at.rule)) || late.has(at.rule) || told.has(at.rule)) continue;
      if (cx.reach(table).get(at.rule)?.kind !== 'live' || left-- <= 0) continue;
      const by = takersOf(cx, table, at, patience);
      if (by.length > 0) yield report(cx.ruleset, at, by);
    }
  },
});
