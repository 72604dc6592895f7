import type { Constraint } from '../../packet/constraint.js';

/** All that a constraint asks for at once, one by one. */
export function conjuncts(constraint: Constraint): readonly Constraint[] {
  if (constraint.kind !== 'all') return [constraint];
  return constraint.of.some(one => one.kind === 'all') ? constraint.of.flatMap(conjuncts) : constraint.of;
}

/** Whether one of `conjuncts` is such; nothing is made for it. */
export function hasConjunct(constraint: Constraint, isSuch: (one: Constraint) => boolean): boolean {
  if (constraint.kind !== 'all') return isSuch(constraint);
  for (const one of constraint.of) if (hasConjunct(one, isSuch)) return true;
  return false;
}

/** What tells a constraint from others. */
export function constraintKey(constraint: Constraint): string {
  return JSON.stringify(constraint, (_, value: unknown) => typeof value === 'bigint' ? `${String(value)}n` : value);
}
