/** Questions that the budget left open, and who asked them. */
import type { Undecided } from '../analyzer/examine.js';
import { visible } from './visible.js';

export function questionsIn(undecided: Undecided): number {
  return Object.values(undecided).reduce((sum, count) => sum + count, 0);
}

/** Those of several analyses together, by the names of the checks. */
export function allUndecided(parts: Iterable<Undecided>): Undecided {
  const all: Record<string, number> = {};
  for (const part of parts) for (const [check, count] of Object.entries(part)) all[check] = (all[check] ?? 0) + count;
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => a < b ? -1 : 1));
}

/** `2 questions undecided (missing-established-return, shadowed-rule)`; `how`: `undecided`, or more of a sentence. */
export function undecidedWords(undecided: Undecided, how = 'undecided'): string {
  const count = questionsIn(undecided);
  return `${String(count)} question${count === 1 ? '' : 's'} ${how}${count === 0 ? '' : ` (${visible(Object.keys(undecided).join(', '))})`}`;
}
