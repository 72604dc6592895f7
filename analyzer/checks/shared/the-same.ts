/** Other rules of which a finding says the same as of the one at which it stands. */
import type { Because } from '../../finding.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { referenceOf } from '../define-check.js';

/** Where there may be any number of them, so many are named. */
export const othersTold = 8;

export function theSame(others: readonly RuleAt[]): Because[] {
  return others.map(one => ({ rule: referenceOf(one), line: one.rule.line, message: 'the same' }));
}
