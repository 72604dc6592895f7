import type { Table } from '../../model/ruleset.js';
import type { Constraint } from '../../packet/constraint.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { reachWith } from '../../packet-space/index.js';
import type { CheckContext } from '../define-check.js';

/** Whether none of these packets gets to the rule and matches it. */
export function isDeadWith(cx: CheckContext, table: Table, at: RuleAt, packets: Constraint): boolean {
  const { kind } = reachWith(cx.space(), table, at, packets);
  return kind !== 'live' && kind !== 'undecided';
}
