/** A note in a rule file that a finding is known and meant. */
import type { Fix } from '../finding.js';
import type { Span } from '../../grammar/source-text.js';

export interface Suppression {
  /** Names of checks. */
  readonly checks: readonly string[];
  /** Why; '' where nobody says. */
  readonly reason: string;
  /** `2027-01-31`: the last day on which it counts. */
  readonly until: string | undefined;
  /** Where it is written. */
  readonly span: Span;
  /** Findings that begin here are meant. */
  readonly covers: Span;
  /** Takes it away. */
  readonly fix?: Fix;
}

/** A note that cannot be understood. */
export interface WrongSuppression {
  readonly message: string;
  readonly span: Span;
  readonly help: string;
}

export interface ReadSuppressions {
  readonly suppressions: readonly Suppression[];
  readonly wrong: readonly WrongSuppression[];
}
