import type { Constraint } from '../../packet/constraint.js';

/** All that a constraint asks for at once, one by one. */
export function conjuncts(constraint: Constraint): readonly Constraint[] {
  return constraint.kind === 'all' ? constraint.of.flatMap(conjuncts) : [constraint];
}
