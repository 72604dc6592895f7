/** Whether what was found is enough to fail. */
import type { Counts } from '../report/report.js';
import type { FailLevel } from './words.js';

/** `maxWarnings`: so many warnings are not enough. */
export function isFailure(counts: Counts, failOn: FailLevel, maxWarnings: number | undefined): boolean {
  if (failOn === 'never') return false;
  const tooManyWarnings = maxWarnings === undefined ? failOn !== 'error' && counts.warning > 0 : counts.warning > maxWarnings;
  return counts.error > 0 || tooManyWarnings || (failOn === 'info' && counts.info > 0);
}
