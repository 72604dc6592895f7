import type { Constraint } from '../../packet/constraint.js';

/** Whether a constraint says anything of the state of a packet's connection. */
export function asksForState(constraint: Constraint): boolean {
  switch (constraint.kind) {
    case 'within': case 'masked': return constraint.field === 'ctstate';
    case 'not': return asksForState(constraint.of);
    case 'all': case 'any': return constraint.of.some(asksForState);
    default: return false;
  }
}
