/** What the rules of a set name: where services, interfaces and sources may be told apart. */
import type { Ruleset } from '../../../../model/ruleset.js';
import type { Constraint, Range } from '../../../../packet/constraint.js';
import { maskedRanges } from '../../../fields.js';
import { constraintsOf } from '../../../rule-constraint.js';

export interface Mentions {
  readonly sources: Range[];
  readonly ports: Range[];
  readonly protocols: Set<number>;
  /** Interfaces by name; of `eth+` a name that begins so. */
  readonly interfaces: { readonly in: Set<string>; readonly out: Set<string> };
}

export function mentionsOf(ruleset: Ruleset): Mentions {
  const found: Mentions = { sources: [], ports: [], protocols: new Set(), interfaces: { in: new Set(), out: new Set() } };
  const seen = new Set<Constraint>();
  for (const table of ruleset.tables.values()) {
    const constraints = constraintsOf(ruleset, table.name);
    for (const { rules } of table.chains.values()) for (const rule of rules) collect(constraints.of(rule), ruleset.family, found, seen);
  }
  return found;
}

function collect(constraint: Constraint, family: Ruleset['family'], found: Mentions, seen: Set<Constraint>): void {
  if (seen.has(constraint)) return;
  switch (constraint.kind) {
    case 'within': note(constraint.field, constraint.ranges, found); return;
    case 'masked': {
      if (constraint.field === 'src') found.sources.push(...maskedRanges('src', family, constraint.value, constraint.mask) ?? []);
      return;
    }
    case 'interface': found.interfaces[constraint.field].add(constraint.prefix ? `${constraint.name.slice(0, 14)}0` : constraint.name); return;
    case 'not': collect(constraint.of, family, found, seen); return;
    case 'all': case 'any':
      seen.add(constraint);
      for (const part of constraint.of) collect(part, family, found, seen);
      return;
    default:
  }
}

function note(field: string, ranges: readonly Range[], found: Mentions): void {
  if (field === 'src') found.sources.push(...ranges);
  if (field === 'dport') found.ports.push(...ranges);
  if (field === 'protocol') for (const { low, high } of ranges) if (low === high) found.protocols.add(Number(low));
}
