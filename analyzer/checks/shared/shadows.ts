/** What is common to findings about rules whose packets other rules take. */
import type { Because } from '../../finding.js';
import type { Ruleset, Rule } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { referenceOf } from '../define-check.js';
import { effectOf, isFinal, targetText } from './targets.js';

/** `rules 2 and 5 together`, as seen from a rule. */
export function listOf(rules: readonly RuleAt[], at: RuleAt): string {
  const name = (one: RuleAt): string => one.chain === at.chain && one.table === at.table ? `rule ${String(one.position)}` : referenceOf(one);
  const names = rules.map(name);
  const last = names.pop() ?? '';
  return names.length === 0 ? last : `${names.join(', ')} and ${last} together`;
}

/** Whether those who take a rule's packets do with them what it would do. */
export function decideAlike(rule: Rule, by: readonly RuleAt[]): boolean {
  return isFinal(rule) && by.filter(one => isFinal(one.rule)).every(one => effectOf(one.rule) === effectOf(rule));
}

export function takersBecause(ruleset: Ruleset, by: readonly RuleAt[]): readonly Because[] {
  return by.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: `${isFinal(one.rule) ? 'takes' : 'leads away'} packets that this rule is for: ${targetText(ruleset, one)}` }));
}

/** True where every packet that comes to the rule matches it, whatever it is. */
export function isCatchAll({ source, destination, inInterface, outInterface, protocol, fragment, matches }: Rule): boolean {
  return [source, destination, inInterface, outInterface, protocol, fragment].every(one => one === undefined) && matches.length === 0;
}

/** Of those who take a rule's packets, a jump or goto in its own chain that all packets follow, and from which none of these comes back. */
export function callThatTakes(at: RuleAt, by: readonly RuleAt[]): RuleAt | undefined {
  return by.find(one => one.table === at.table && one.chain === at.chain && one.rule.target.kind === 'chain' && isCatchAll(one.rule));
}
