import type { Span } from '../../grammar/source-text.js';
import type { LoadCheckName } from './load-checks.js';

/** How bad it is, unless the user says otherwise. */
export type Severity = 'error' | 'warning' | 'info';

/** What is wrong with a file or its rules before any check looks at it: the user's input gone wrong. */
export interface Diagnostic {
  readonly check: LoadCheckName;
  readonly severity: Severity;
  readonly message: string;
  readonly span: Span;
  readonly line: number;
  readonly help?: string | undefined;
  /** The rule it is about, where there is one. */
  readonly rule?: string | undefined;
}
