/** What every format is given, and what it gives back. */
import type { Undecided } from '../analyzer/examine.js';
import type { Finding } from '../analyzer/finding.js';
import type { Severity } from '../analyzer/model/diagnostic.js';
import type { Ruleset } from '../analyzer/model/ruleset.js';
import type { SourceText } from '../grammar/source-text.js';

/** What is said about one file. */
export interface FileReport {
  readonly source: SourceText;
  /** By their place in the file. */
  readonly findings: readonly Finding[];
  /** What notes in the file say is meant; absent where nobody wants to see it. */
  readonly suppressed?: readonly Finding[];
  /** What the rules are that the findings name. */
  readonly rulesets?: readonly Ruleset[];
}

/** What formats may say of a check. */
export interface DescribedCheck {
  readonly name: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly why: string;
}

/** What is said about all files. */
export interface Report {
  readonly files: readonly FileReport[];
  readonly undecided: Undecided;
  /** Mistakes of ours that were caught: witnesses that the engine does not confirm. None where absent. */
  readonly internalErrors?: number;
  /** Findings about how generated rules are written that are not shown. None where absent. */
  readonly generated?: number;
  /** Checks that are not the program's own. */
  readonly pluginChecks?: readonly DescribedCheck[];
  /** Files that could not be read, or not in full. None where absent. */
  readonly incomplete?: number;
  readonly failures?: readonly Failure[];
  readonly shard?: Shard | undefined;
  /** Of the program that made it. */
  readonly version?: string;
  /** Where a format says what its reader must know and the format has no place for. */
  readonly tell?: (message: string) => void;
}

/** What a format may assume of whoever reads it. */
export interface Style {
  readonly color: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  /** It opens links: names of checks lead to their pages. */
  readonly links?: boolean;
}

/** The name of a check, as a link (OSC 8) where whoever reads it can open one. `text`: how it is shown. */
export function linkTo(check: string, text: string, { links = false }: Style): string {
  const url = links ? docsUrl(check) : undefined;
  return url === undefined ? text : `\u001B]8;;${url}\u0007${text}\u001B]8;;\u0007`;
}

/** What is said of all files together. */
export interface Totals {
  readonly counts: Counts;
  readonly undecided: Undecided;
  readonly internalErrors: number;
  readonly generated: number;
  /** Files that could not be read, or not in full. */
  readonly incomplete: number;
  readonly failures: readonly Failure[];
  readonly shard?: Shard | undefined;
}

/** Something that could not be linted at all. */
export interface Failure {
  /** Null where it is no file: a folder without rules, a pattern that matches nothing. */
  readonly path: string | null;
  readonly message: string;
}

/** Where a failure is shown by formats in which all must be somewhere: what is no file is in the folder where the program runs. */
export function placeOfFailure({ path }: Failure): string {
  return path ?? '.';
}

/** Which part of the work a report is of. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** Of the names of all files, those of the other parts too: parts belong together where it is the same. */
  readonly list: string;
}

/** A format whose parts are printed as they come, so that no more than the findings of one file are in memory, and but a few of them as text. */
export interface StreamedFormat {
  readonly file: (file: FileReport, isFirst: boolean) => Iterable<string>;
  readonly failure: (failure: Failure) => string;
  /** `isEmpty`: no file came before. */
  readonly end: (totals: Totals, isEmpty: boolean) => string;
}

/** A format: one file in this folder. What it returns ends in a newline, or is empty. */
export type Format = (report: Report, style: Style) => string | Promise<string>;

/** Where the page of a check is. Those of plugins (`acme/no-telnet`) have none. */
export function docsUrl(check: string): string | undefined {
  return check.includes('/') ? undefined : `https://github.com/iptables-lint/iptables-lint/blob/main/docs/checks/${check}.md`;
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

export function totalsOf(report: Report): Totals {
  const { undecided, internalErrors = 0, generated = 0, incomplete = 0, failures = [], shard } = report;
  return { counts: countBySeverity(allFindings(report)), undecided, internalErrors, generated, incomplete, failures, shard };
}

/** The whole report at once, in a format that can also be printed in parts. Failures come last: where among the files they were is not in the report. */
export function whole(format: StreamedFormat): Format {
  return report => [
    ...report.files.flatMap((file, index) => [...format.file(file, index === 0)]),
    ...(report.failures ?? []).map(failure => format.failure(failure)),
    format.end(totalsOf(report), report.files.length === 0),
  ].join('');
}

/** `1 error`, `2 errors` */
export function countOf(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `2 errors, 1 warning`; '' where nothing was found. */
export function countsOf(report: Report): string {
  const counts = countBySeverity(allFindings(report));
  return (['error', 'warning', 'info'] as const).filter(severity => counts[severity] > 0).map(severity => countOf(counts[severity], severity)).join(', ');
}

/** The line for a run that found nothing. */
export function nothingFound({ files }: Report): string {
  return files.length === 0 ? 'no file was linted' : `no problems in ${countOf(files.length, 'file')}`;
}

/** `message`, and what must be said with it in one line. */
export function messageOf({ message, certainty, owner }: Finding): string {
  return `${message}${certainty === 'possible' ? ' (possible)' : ''}${owner === undefined ? '' : ` (made by ${owner})`}`;
}
