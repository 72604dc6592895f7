/**
 * Fields whose values move from one to another: a reply comes from where its connection went to, a saved mark becomes the
 * connection's. They get the same classes, so that a value keeps its class on the way.
 */
import type { Constraint, Field } from '../../packet/constraint.js';

const twins: Partial<Record<Field, Field>> = { src: 'dst', dst: 'src', sport: 'dport', dport: 'sport', in: 'out', out: 'in', mark: 'connmark', connmark: 'mark' };

/** The same asked of the twins of its fields; fields without one stay. */
export function twinOf(constraint: Constraint): Constraint {
  switch (constraint.kind) {
    case 'within': case 'masked': return { ...constraint, field: twins[constraint.field] ?? constraint.field };
    case 'interface': return { ...constraint, field: constraint.field === 'in' ? 'out' : 'in' };
    case 'not': return { kind: 'not', of: twinOf(constraint.of) };
    case 'all': case 'any': return { kind: constraint.kind, of: constraint.of.map(twinOf) };
    default: return constraint;
  }
}
