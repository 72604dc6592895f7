/** Rules that do nothing but decide. */
import type { RuleContext } from '../extensions/define.js';
import { meaningOf } from '../extensions/use.js';
import { isOpaque, type MatchUse, type Rule, type Ruleset, type Table } from '../model/ruleset.js';
import type { Constraint } from '../packet/constraint.js';
import { effectOf, isFinal } from '../checks/shared/targets.js';

function isKnown(constraint: Constraint): boolean {
  switch (constraint.kind) {
    case 'unknown': return false;
    case 'not': return isKnown(constraint.of);
    case 'all': case 'any': return constraint.of.every(isKnown);
    default: return true;
  }
}

/** To be asked leaves nothing behind, and the answer hangs on the packet alone: no limit, list, count, clock or chance. */
export function isPureUse(use: MatchUse, cx: RuleContext): boolean {
  return !isOpaque(use) && use.definition.remembers !== true && isKnown(meaningOf(use, cx));
}

/** Of the matches of a rule, in the order in which they are asked, the first that is not pure; their number where all are. */
export function pureMatches({ family, backend }: Ruleset, { name }: Table, { protocol, matches }: Rule): number {
  const number = protocol === undefined || typeof protocol.value !== 'number' ? undefined : { number: protocol.value, negated: protocol.negated };
  const index = matches.findIndex(use => !isPureUse(use, { family, backend, table: name, ordered: isOpaque(use) ? [] : use.ordered, protocol: number }));
  return index === -1 ? matches.length : index;
}

export function isPure(ruleset: Ruleset, table: Table, rule: Rule): boolean {
  return pureMatches(ruleset, table, rule) === rule.matches.length;
}

/** Whether all that a rule does is to decide about its packets: its matches are pure, and it ends their way through the chain. */
export function onlyDecides(ruleset: Ruleset, table: Table, rule: Rule): boolean {
  return isPure(ruleset, table, rule) && (isFinal(rule) || effectOf(rule) === 'return');
}

/** Whether it is noticed that a packet came to the rule, besides by what becomes of the packet: a log, a mark, a count, a match with a memory. */
export function isNoticed(ruleset: Ruleset, table: Table, rule: Rule): boolean {
  return rule.target.kind !== 'chain' && !onlyDecides(ruleset, table, rule) || !isPure(ruleset, table, rule);
}
