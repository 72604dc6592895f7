/** What is common to findings about rules whose packets other rules take. */
import type { Effect } from '../../extensions/define.js';
import type { Because } from '../../finding.js';
import type { Ruleset, Rule, Table } from '../../model/ruleset.js';
import type { Fate, RuleAt } from '../../packet-space/answers.js';
import { ask } from '../../packet-space/index.js';
import { isNothing } from '../../packet-space/packets.js';
import { constraintsOf } from '../../packet-space/rule-constraint.js';
import { all as every, ctstates, mentions, oneOf, type Constraint } from '../../packet/constraint.js';
import { referenceOf, type CheckContext } from '../define-check.js';
import { isCatchAll } from './catch-all.js';
import { conjuncts, constraintKey } from './conjuncts.js';
import { isOwnDoing, isProgramsWord, ownerOf } from './owners.js';
import { effectOf, isFinal, refuses, targetText } from './targets.js';

/** `rules 2 and 5 together`, as seen from a rule. */
export function listOf(rules: readonly RuleAt[], at: RuleAt): string {
  const name = (one: RuleAt): string => one.chain === at.chain && one.table === at.table ? `rule ${String(one.position)}` : referenceOf(one);
  const names = rules.map(name);
  const last = names.pop() ?? '';
  return names.length === 0 ? last : `${names.join(', ')} and ${last} together`;
}

const all: readonly Fate[] = ['accept', 'drop', 'reject', 'queue', 'nat', 'unknown'];

/** What becomes of all that matches a rule, whether it decides itself or leads to a chain that decides so about all packets and does nothing else; else undefined. */
function decisionOf(table: Table, rule: Rule, above: readonly string[] = []): Effect | undefined {
  const { target } = rule;
  if (target.kind !== 'chain') return isFinal(rule) ? effectOf(rule) : undefined;
  const rules = above.includes(target.name) ? [] : table.chains.get(target.name)?.rules ?? [];
  const last = rules.findIndex(isCatchAll);
  const [first, ...others] = new Set(rules.slice(0, last + 1).map(one => decisionOf(table, one, [...above, target.name])));
  return others.length === 0 ? first : undefined;
}

/** Whether all that a rule of a built-in chain is for fares in any case as the rule would have it. */
function faresAlike(cx: Pick<CheckContext, 'ruleset' | 'space'>, table: Table, { rule, chain }: RuleAt): boolean {
  const decision = decisionOf(table, rule);
  const effect = all.find(one => one === decision);
  const hook = table.chains.get(chain)?.hook;
  if (effect === undefined || hook === undefined) return false;
  return ask(cx.space(), table, hook, constraintsOf(cx.ruleset, table.name).of(rule), all.filter(one => one !== effect)).kind === 'no';
}

const states = oneOf('ctstate', [ctstates.NEW, ctstates.ESTABLISHED, ctstates.RELATED]);

/** Whether a rule is for TCP flags that only INVALID packets have, and others that ask for the state take these. */
export function isForNonsense({ ruleset }: Pick<CheckContext, 'ruleset'>, at: RuleAt, by: readonly RuleAt[]): boolean {
  const asks = (one: RuleAt): Constraint => constraintsOf(ruleset, one.table).of(one.rule);
  const own = asks(at);
  if (!mentions(own, ['tcpFlags']) || mentions(own, ['ctstate'])) return false;
  return by.some(one => mentions(asks(one), ['ctstate'])) && !by.some(one => mentions(asks(one), ['tcpFlags'])) && isNothing(ruleset.family, every([own, states])) && !isNothing(ruleset.family, own);
}

/** The chain that a jump or goto leads to. */
function leadsTo(rule: Rule | undefined): string | undefined {
  return rule?.target.kind === 'chain' ? rule.target.name : undefined;
}

/** Whether those who take a rule's packets do with them what it would do. */
export function decideAlike(cx: Pick<CheckContext, 'ruleset' | 'space'>, table: Table, at: RuleAt, by: readonly RuleAt[]): boolean {
  const { rule } = at;
  // Exceptions of one chain, as the lists of what a proxy leaves alone: who gives its packets back does so for all of them.
  if ([at, ...by].every(one => one.chain === at.chain && effectOf(one.rule) === 'return')) return true;
  const deciding = by.filter(one => isFinal(one.rule));
  // What leaves a chain by its end, or by RETURN, where a goto led it there, is for somebody else to decide.
  const mayLeave = by.some(one => effectOf(one.rule) === 'return' || (one.rule.target.kind === 'chain' && one.rule.target.goto)) && !deciding.some(one => isCatchAll(one.rule));
  const decision = decisionOf(table, rule);
  const chain = leadsTo(rule);
  const wasThere = chain !== undefined && leadsTo(callThatTakes(at, by)?.rule) === chain;
  const isAlike = (one: RuleAt): boolean => wasThere || one.chain === chain || effectOf(one.rule) === decision;
  if ((decision === undefined && deciding.length === 0) || !deciding.every(isAlike)) return false;
  return (deciding.length > 0 && !mayLeave) || faresAlike(cx, table, at);
}

/** Whether nobody can or need mend that others take a rule's packets: one program made it all, or one made the rule, and they fare as it would have it. */
export function isNobodysToMend(cx: Pick<CheckContext, 'ruleset' | 'space'>, table: Table, at: RuleAt, by: readonly RuleAt[]): boolean {
  return isOwnDoing(cx.ruleset, at, by) || (isProgramsWord(cx.ruleset, at) && decideAlike(cx, table, at, by));
}

/** Whether a rule refuses, to be safe, what is left of something that others before it have shared out: some refuse as it does, and the rest let in what is for it with something more. */
export function isLastWord({ ruleset }: Pick<CheckContext, 'ruleset'>, { table, rule }: RuleAt, by: readonly RuleAt[]): boolean {
  const constraints = constraintsOf(ruleset, table);
  const own = conjuncts(constraints.of(rule)).map(constraintKey);
  const others = by.filter(one => effectOf(one.rule) !== effectOf(rule));
  const asksForAll = (one: RuleAt): boolean => {
    const keys = new Set(conjuncts(constraints.of(one.rule)).map(constraintKey));
    return one.table === table && own.every(key => keys.has(key));
  };
  return refuses(rule) && others.length < by.length && others.every(one => isFinal(one.rule) && asksForAll(one));
}

/** Whether programs do already what a person's rule would: they come and go, and so it may stay. Where they do otherwise, that is another matter. */
export function isDoneByPrograms({ ruleset }: Pick<CheckContext, 'ruleset'>, at: RuleAt, by: readonly RuleAt[]): boolean {
  const deciding = by.filter(one => isFinal(one.rule));
  return ownerOf(ruleset, at) === undefined && deciding.length > 0 && deciding.every(one => isProgramsWord(ruleset, one));
}

/** Whether a rule and all who take its packets let none of them pass, if not in the same way: some are told, and others wait in vain. */
export function refuseAlike({ rule }: RuleAt, by: readonly RuleAt[]): boolean {
  return [rule, ...by.map(one => one.rule)].every(refuses);
}

/** Whether a rule gives packets back where the chain ends anyway: it is there to be read. */
export function isLastReturn({ chains }: Table, { chain, position, rule }: RuleAt): boolean {
  const own = chains.get(chain);
  return own?.hook === undefined && [rule, ...own?.rules.slice(position) ?? []].every(one => effectOf(one) === 'return');
}

export function takersBecause(ruleset: Ruleset, by: readonly RuleAt[]): readonly Because[] {
  return by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `${isFinal(one.rule) ? 'takes' : 'leads away'} packets that this rule is for: ${targetText(ruleset, one)}` }));
}

/** Of those who take a rule's packets, a jump or goto in its own chain that all packets follow, and from which none of these comes back. */
export function callThatTakes(at: RuleAt, by: readonly RuleAt[]): RuleAt | undefined {
  return by.find(one => one.table === at.table && one.chain === at.chain && one.rule.target.kind === 'chain' && isCatchAll(one.rule));
}
