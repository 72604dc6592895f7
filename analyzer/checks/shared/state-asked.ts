import { mentions, type Constraint } from '../../packet/constraint.js';

/** Whether a constraint says anything of the state of a packet's connection. */
export function asksForState(constraint: Constraint): boolean {
  return mentions(constraint, ['ctstate']);
}
