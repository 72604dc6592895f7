import type { Constraint } from '../../packet/constraint.js';

/** All that a constraint asks for at once, one by one. */
export function conjuncts(constraint: Constraint): readonly Constraint[] {
  if (constraint.kind !== 'all') return [constraint];
  return constraint.of.some(one => one.kind === 'all') ? constraint.of.flatMap(conjuncts) : constraint.of;
}
