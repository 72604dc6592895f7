/** What a reader must know besides the findings: questions that the budget left open, and who asked them; what is not shown, or said to be meant. */
import type { Undecided } from '../analyzer/examine.js';
import type { Finding } from '../analyzer/finding.js';
import { positionAt, type SourceText } from '../grammar/source-text.js';
import { countOf, type Report } from './report.js';
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
  return `${countOf(count, 'question')} ${how}${count === 0 ? '' : ` (${visible(Object.keys(undecided).join(', '))})`}`;
}

/** What is not in a report, and could be: questions without an answer, and findings that are not shown. */
export function leftOutOf({ undecided, generated = 0 }: Pick<Report, 'undecided' | 'generated'>): readonly string[] {
  return [
    ...questionsIn(undecided) === 0 ? [] : [`${undecidedWords(undecided, 'left undecided')}: the rule set is too intricate for the step limit`],
    ...generated === 0 ? [] : [`${countOf(generated, 'finding')} in generated chains not shown; --show-generated shows ${generated === 1 ? 'it' : 'them'}`],
  ];
}

/** What a note in the file says is meant, in one line. */
function suppressedLine(source: SourceText, { span, check, message, suppressed }: Finding): string {
  const { line } = positionAt(source, span.start);
  const until = suppressed?.until === undefined ? '' : `, until ${suppressed.until}`;
  return visible(`suppressed: ${source.path}:${String(line)} ${check}: ${message} (${suppressed?.reason ?? ''}${until})`);
}

/** What the reader must know about what is not in the report: files and questions without an answer, and findings that are not shown. */
export function notesOf({ incomplete = 0, files, ...report }: Report): readonly string[] {
  return [
    ...files.flatMap(({ source, suppressed = [] }) => suppressed.map(finding => suppressedLine(source, finding))),
    ...incomplete === 0 ? [] : [`${countOf(incomplete, 'file')} not linted in full: more may be wrong`],
    ...leftOutOf(report),
  ];
}
