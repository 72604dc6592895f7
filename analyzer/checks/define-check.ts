/** How a check is declared: its file says what it looks for, why, and shows it. */
import type { Because, Certainty, Finding, Fix } from '../finding.js';
import type { Severity } from '../model/diagnostic.js';
import { ruleReference, type Chain, type Ruleset, type Table } from '../model/ruleset.js';
import type { Span } from '../../grammar/source-text.js';
import type { Reach, RuleAt } from '../packet-space/answers.js';
import type { PacketSpace } from '../packet-space/index.js';
import type { Pipeline } from '../packet-space/pipeline/index.js';
import type { Rule } from '../model/ruleset.js';
import type { Illustration, ProposedStep, Shown } from '../witness/proposal.js';

/** What a check may ask. Answers are computed once for all checks of a rule set. */
export interface CheckContext {
  readonly ruleset: Ruleset;
  readonly space: () => PacketSpace;
  /** All tables together; undefined where the kernel would not load them. */
  readonly pipeline: () => Pipeline | undefined;
  readonly reach: (table: Table) => ReadonlyMap<Rule, Reach>;
  /** Every rule of every chain, in the order of the file's tables. */
  readonly rules: (table: Table) => Iterable<RuleAt & { readonly in: Chain }>;
  /** Counts a question that the budget left open. */
  readonly undecided: (count?: number) => void;
}

/** What a check reports; what is absent is the check's own, or the whole rule. */
export interface Report {
  readonly message: string;
  readonly at?: RuleAt;
  readonly span?: Span;
  readonly severity?: Severity;
  readonly certainty?: Certainty;
  readonly because?: readonly Because[];
  /** Packets that show it. They are printed where the engine has confirmed what they show, `shows`, step by step. */
  readonly witness?: readonly ProposedStep[];
  readonly shows?: readonly Shown[];
  /** In place of these two where the finding is proved without packets: made only where there is time for it. */
  readonly illustrate?: () => Illustration | undefined;
  readonly help: string;
  readonly fix?: Fix;
}

export interface Check {
  /** Kebab-case; the name of its file and of its page. */
  readonly name: string;
  /** Unless a finding says otherwise. */
  readonly severity: Severity;
  /** One line: what a finding means. */
  readonly summary: string;
  /** Why it matters: a paragraph or two, for `explain` and the docs page. */
  readonly why: string;
  /** A rule set that yields findings of this check and of no other. */
  readonly bad: string;
  /** The same, repaired: no finding of any check. */
  readonly good: string;
  readonly run: (cx: CheckContext) => Iterable<Report>;
}

/** Declares a check; its file in `checks/` and one line in `checks/index.ts` are all it takes. */
export function defineCheck(check: Check): Check {
  return check;
}

/** `filter:INPUT:3` */
export function referenceOf(at: RuleAt): string {
  return ruleReference(at.table, at.chain, at.position);
}

/** From a check's report to a finding, whose witness the engine has yet to confirm. */
export function toFinding(check: Check, report: Report): Finding {
  const { at } = report;
  return {
    check: check.name,
    severity: report.severity ?? check.severity,
    certainty: report.certainty ?? 'certain',
    message: report.message,
    span: report.span ?? (at === undefined ? { start: 0, end: 0 } : { start: at.rule.start, end: at.rule.end }),
    rule: at === undefined ? null : referenceOf(at),
    because: report.because ?? [],
    witness: null,
    help: report.help,
    ...report.fix === undefined ? {} : { fix: report.fix },
  };
}
