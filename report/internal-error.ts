/** A mistake in a check, for the reader who is asked to report it. */
import type { InternalError } from '../analyzer/examine.js';
import { visible } from './visible.js';

/** One line; `isDebugging`: with the packets, and what the engine says of them. */
export function internalErrorLine(path: string, { check, rule, detail, isWithdrawn, hasThrown }: InternalError, isDebugging: boolean): string {
  const more = isDebugging ? ` (${detail})` : '; --debug shows more';
  if (hasThrown === true) return visible(`${path}: internal error: the check ${check} failed with ${detail.split('\n', 1)[0] ?? ''}, so its findings are left out; please tell whoever wrote it${more}`);
  const whose = rule === null ? check : `${check} about ${rule}`;
  const what = `internal error: the witness of ${whose} does not hold, so the ${isWithdrawn ? 'finding' : 'witness'} is left out; please report it`;
  return visible(`${path}: ${what}${more}`);
}
