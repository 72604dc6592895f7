/** What is sent to be linted, and what comes back of it: plain data, so that either may go to another thread. */
import type { AnalyzeOptions, InternalError, Undecided } from '../../analyzer/examine.js';
import type { Finding } from '../../analyzer/finding.js';
import type { HostDescription } from '../../analyzer/netfilter/host/host.js';
import type { SourceText } from '../../grammar/source-text.js';
import type { Times } from '../stats.js';

/** How a file is linted. */
export interface LintSettings extends Omit<AnalyzeOptions, 'host' | 'checks' | 'ipsets' | 'measure'> {
  readonly host?: HostDescription | undefined;
  /** Files with checks of the user's own. */
  readonly plugins?: readonly string[];
}

/** What is done beyond the checks, for every file. */
export interface LintExtras {
  /** A conversation is sought for each finding that is only possible. */
  readonly decide: boolean;
  /** Findings are given their fingerprints. */
  readonly fingerprints: boolean;
  /** It is said how long each part took. */
  readonly times: boolean;
}

export interface LintJob {
  readonly source: SourceText;
  readonly settings: LintSettings;
  readonly extras: LintExtras;
}

/** Of an analysis what reports need; neither rules nor syntax. */
export interface Linted {
  /** As it was read: where a file's line ends were repaired, that is the repaired text. */
  readonly source: SourceText;
  readonly findings: readonly Finding[];
  readonly suppressed: readonly Finding[];
  readonly rules: number;
  readonly undecided: Undecided;
  readonly generated: number;
  /** Problems beyond the limit, which were only counted. */
  readonly omitted: number;
  /** Some part could not be read, so the findings are not all there is. */
  readonly unreadable: boolean;
  readonly internalErrors: readonly InternalError[];
  /** What of the host was not understood, and left out. */
  readonly hostProblems: readonly string[];
  /** How it was read, for --debug: `save; ipv4, nft, 12 rules; 3 findings, 0 questions undecided`. */
  readonly read: string;
  readonly times?: Times | undefined;
}

export type Lint = (job: LintJob) => Promise<Linted>;
