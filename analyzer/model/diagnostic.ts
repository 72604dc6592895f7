import type { Span } from '../../grammar/source-text.js';

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

/**
 * The findings of loading: what `iptables-restore` or the kernel would refuse, and what cannot
 * be known offline. Each is documented like a check.
 */
export const loadChecks = {
  'syntax-error': { severity: 'error', summary: 'The line cannot be read' },
  'line-endings': { severity: 'error', summary: 'CR LF line ends or a byte order mark' },
  'skipped-line': { severity: 'warning', summary: 'A line of a script that is not literal, and is not analyzed' },
  'unknown-option': { severity: 'error', summary: 'No loaded match or target has this option' },
  'invalid-value': { severity: 'error', summary: 'The argument of an option is not valid' },
  'invalid-options': { severity: 'error', summary: 'Options are missing, repeated or exclude each other' },
  'unresolved-name': { severity: 'warning', summary: 'A name that only the machine itself can resolve' },
  'unknown-extension': { severity: 'warning', summary: 'A match or target that is not known; it is treated as if it could do anything' },
  'unknown-table': { severity: 'error', summary: 'There is no such table' },
  'missing-commit': { severity: 'error', summary: 'A table does not end in COMMIT, so it is not loaded' },
  'rule-outside-table': { severity: 'error', summary: 'A rule or chain stands outside of any table' },
  'duplicate-table': { severity: 'warning', summary: 'A later table of the same name replaces an earlier one' },
  'duplicate-chain': { severity: 'error', summary: 'A chain is declared twice' },
  'invalid-chain-name': { severity: 'error', summary: 'The chain name is not allowed' },
  'undefined-chain': { severity: 'error', summary: 'A rule names a chain that does not exist' },
  'jump-to-built-in': { severity: 'error', summary: 'A rule jumps to a built-in chain' },
  'jump-loop': { severity: 'error', summary: 'Chains jump to each other in a circle' },
  'too-many-jumps': { severity: 'error', summary: 'Chains are nested deeper than the kernel allows' },
  'policy-on-user-chain': { severity: 'error', summary: 'Only built-in chains have a policy' },
  'invalid-policy': { severity: 'error', summary: 'A policy must be ACCEPT or DROP' },
  'drop-in-nat': { severity: 'error', summary: 'DROP is not allowed in the nat table' },
  'wrong-table': { severity: 'error', summary: 'The match or target is not allowed in this table' },
  'wrong-backend': { severity: 'error', summary: 'Only the other backend takes this match or target' },
  'wrong-hook': { severity: 'error', summary: 'The match or target is not allowed in the chains from which the rule is reached' },
  'wrong-interface': { severity: 'error', summary: 'The chain has no packets with such an interface' },
  'wrong-protocol': { severity: 'error', summary: 'The match or target needs another -p' },
  'rule-number': { severity: 'error', summary: 'A rule number is missing, unexpected or out of range' },
  'no-such-rule': { severity: 'error', summary: 'The rule to be deleted or checked does not exist' },
  'chain-in-use': { severity: 'error', summary: 'A chain that is to be deleted still has rules or callers' },
  'too-many-ports': { severity: 'error', summary: 'multiport takes at most 15 ports, and a range counts two' },
} as const satisfies Record<string, { severity: Severity; summary: string }>;

export type LoadCheckName = keyof typeof loadChecks;
