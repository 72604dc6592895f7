/** What every format is given, and what it gives back. */
import type { Finding } from '../analyzer/finding.js';
import type { Severity } from '../analyzer/model/diagnostic.js';
import type { Ruleset } from '../analyzer/model/ruleset.js';
import type { SourceText } from '../grammar/source-text.js';

export interface FileReport {
  readonly source: SourceText;
  /** By their place in the file. */
  readonly findings: readonly Finding[];
  /** What the rules are that the findings name. */
  readonly rulesets?: readonly Ruleset[];
}

export interface Report {
  readonly files: readonly FileReport[];
  /** Questions that the analysis left open because its budget ran out. */
  readonly undecided: number;
  /** Mistakes of ours that were caught: witnesses that the engine does not confirm. None where absent. */
  readonly internalErrors?: number;
  /** Of the program that made it. */
  readonly version?: string;
  /** Where a format says what its reader must know and the format has no place for. */
  readonly tell?: (message: string) => void;
}

export interface Style {
  readonly color: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

/** A format: one file in this folder. What it returns ends in a newline, or is empty. */
export type Format = (report: Report, style: Style) => string | Promise<string>;

/** Where the page of a check is. */
export function docsUrl(check: string): string {
  return `https://github.com/iptables-lint/iptables-lint/blob/main/docs/checks/${check}.md`;
}

export type Counts = Readonly<Record<Severity, number>>;

export function countBySeverity(findings: Iterable<Finding>): Counts {
  const counts = { error: 0, warning: 0, info: 0 };
  for (const finding of findings) counts[finding.severity]++;
  return counts;
}

export function allFindings(report: Report): readonly Finding[] {
  return report.files.flatMap(file => file.findings);
}

/** `1 error`, `2 errors` */
export function countOf(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The line for a run that found nothing. */
export function nothingFound(report: Report): string {
  return `no problems in ${countOf(report.files.length, 'file')}`;
}

/** What the reader must know about questions without an answer; undefined where there are none. */
export function undecidedNote(report: Report): string | undefined {
  return report.undecided === 0 ? undefined : `${countOf(report.undecided, 'question')} left undecided: the rule set is too intricate for the step limit`;
}
