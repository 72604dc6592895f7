import { isOpaque, type MatchUse } from '../../model/ruleset.js';
import { mentions, type Constraint } from '../../packet/constraint.js';

/** Whether a constraint says anything of the state of a packet's connection. */
export function asksForState(constraint: Constraint): boolean {
  return mentions(constraint, ['ctstate']);
}

/** `-m conntrack` or `-m state`. */
export function isStateMatch(use: MatchUse): boolean {
  return !isOpaque(use) && (use.definition.name === 'conntrack' || use.definition.name === 'state');
}
