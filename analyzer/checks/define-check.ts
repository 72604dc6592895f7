/** How a check is declared: its file says what it looks for, why, and shows it. */
import type { Because, Certainty, Finding, Fix } from '../finding.js';
import type { Severity } from '../model/diagnostic.js';
import type { LoadCheckName } from '../model/load-checks.js';
import { ruleReference, type Chain, type Ruleset, type Table } from '../model/ruleset.js';
import type { Span } from '../../grammar/source-text.js';
import type { Reach, RuleAt } from '../packet-space/answers.js';
import type { PacketSpace } from '../packet-space/index.js';
import type { Pipeline } from '../packet-space/pipeline/index.js';
import type { Rule } from '../model/ruleset.js';
import type { HostSetup } from '../netfilter/engine.js';
import type { Constraint } from '../packet/constraint.js';
import type { Illustration, ProposedStep, Shown } from '../witness/proposal.js';
import { ownerOf, ownersOf } from './shared/owners.js';
import type { Pace } from './shared/paces.js';
import type { Settings } from './settings.js';

/** A rule, and the chain that it stands in. */
export interface RuleInChain extends RuleAt {
  readonly in: Chain;
}

/** What a check may ask. Answers are computed once for all checks of a rule set. */
export interface CheckContext {
  /** The rules that are linted. */
  readonly ruleset: Ruleset;
  /** All packets, table by table: for `ask`, `redundant` and the like. */
  readonly space: () => PacketSpace;
  /** All tables together; undefined where the kernel would not load them. */
  readonly pipeline: () => Pipeline | undefined;
  /** Of each rule of a table whether any packet comes to it, and if not, because of which rules. */
  readonly reach: (table: Table) => ReadonlyMap<Rule, Reach>;
  /** Every rule of every chain, in the order of the file's tables. */
  readonly rules: (table: Table) => readonly RuleInChain[];
  /** What the user says about the host. */
  readonly settings: Settings;
  /** What the host is, where somebody said it. */
  readonly host: HostSetup | undefined;
  /** The rules of the same host for the other family, where they were given: in the same file, or in the file beside it. */
  readonly sibling: () => Ruleset | undefined;
  /** Counts a question that the budget left open. */
  readonly undecided: (count?: number) => void;
  /** The same of the rules as those meet them who never, or always, send more than limits allow. Rules keep their places. */
  readonly at: (pace: Pace) => CheckContext;
}

/** What a check reports; what is absent is the check's own, or the whole rule. */
export interface Report {
  /** What is wrong, in one line. */
  readonly message: string;
  /** The rule that it is about, as `rules` of the context gives it. */
  readonly at?: RuleAt;
  /** What it is about, where that is a chain and no rule. */
  readonly chain?: Chain;
  readonly span?: Span;
  readonly severity?: Severity;
  readonly certainty?: Certainty;
  readonly because?: readonly Because[];
  /** So many rules it is about, of which `at` is the first: another one makes another finding of it for a baseline. */
  readonly alike?: number;
  /** Packets that show it. They are printed where the engine has confirmed what they show, `shows`, step by step. */
  readonly witness?: readonly ProposedStep[];
  readonly shows?: readonly Shown[];
  /** In place of these two where the finding is proved without packets: made only where there is time for it. */
  readonly illustrate?: () => Illustration | undefined;
  /** What to do about it, in one line. */
  readonly help: string;
  readonly fix?: Fix;
  /** As of a check. */
  readonly mutedIn?: 'generated';
}

/** What the checks of a kind are about. The order is that of the docs. */
export const checkKinds = {
  reachability: 'Which rules packets come to',
  conversations: 'Whether connections work, both ways',
  nat: 'Address translation',
  exposure: 'What is open, and to whom',
  hygiene: 'How the rules are written',
} as const;

/** What a check is about. */
export type CheckKind = keyof typeof checkKinds;

/** A rule set that shows a check, with what must be known besides it. */
export interface Example {
  readonly rules: string;
  readonly settings?: Partial<Settings>;
  readonly host?: HostSetup;
  /** The rules of the same host for the other family. */
  readonly sibling?: string;
}

/** What is looked for in rule sets, why, and how. `testCheck` holds it to its examples. */
export interface Check {
  /** Kebab-case; the name of its file and of its page. Of a plugin: two words with a slash, `acme/no-telnet`. */
  readonly name: string;
  readonly kind: CheckKind;
  /** Unless a finding says otherwise. */
  readonly severity: Severity;
  /** For an auditor, where that is more. */
  readonly auditor?: Severity;
  /** It speaks only where it is asked for by name, or to an auditor for whom it has a level. */
  readonly isOff?: true;
  /**
   * It is about how rules are written, and whoever has a program write them can do nothing about it: not shown for
   * generated chains. All checks of kind `hygiene` are so.
   */
  readonly mutedIn?: 'generated';
  /** Where it speaks, this finding of loading is not repeated for the same place. */
  readonly replaces?: LoadCheckName;
  /** Its findings say that no packet matches the rule: where the rule's own counter says otherwise, that is told, and they are only possible. */
  readonly claimsDead?: true;
  /** One line: what a finding means. */
  readonly summary: string;
  /** Why it matters: a paragraph or two, for `explain` and the docs page. */
  readonly why: string;
  /** Yields findings of this check, and no warning or error of another. */
  readonly bad: string | Example;
  /** The same, repaired: no finding of this check, and no warning or error of any. */
  readonly good: string | Example;
  /** Looks much like the bad one, and is right: no finding of this check. */
  readonly nearMiss: string | Example;
  /** What it asks about packets on their whole way: the pipeline must tell these bounds apart. */
  readonly asks?: (cx: Pick<CheckContext, 'ruleset' | 'settings'>) => readonly Constraint[];
  /** Finds it in one rule set. Same rules, same reports, in the same order: no clock, no chance, nothing remembered from one rule set to the next. */
  readonly run: (cx: CheckContext) => Iterable<Report>;
}

/** An example, with what must be known besides it. */
export function exampleOf(example: string | Example): Example {
  return typeof example === 'string' ? { rules: example } : example;
}

/** Declares a check, so that the compiler looks at it. @returns the same check */
export function defineCheck(check: Check): Check {
  return check;
}

/** A fix for a report, where the edits could be made. */
export function fixWith(description: string, safety: Fix['safety'], edits: Fix['edits'] | undefined): Pick<Report, 'fix'> {
  return edits === undefined ? {} : { fix: { description, safety, edits } };
}

/** `filter:INPUT:3` */
export function referenceOf(at: RuleAt): string {
  return ruleReference(at.table, at.chain, at.position);
}

/** The program that made what a report is about. */
function makerOf(ruleset: Ruleset, { at, chain }: Report): string | undefined {
  if (at !== undefined) return ownerOf(ruleset, at);
  return chain === undefined ? undefined : ownersOf(ruleset).ofChain(chain);
}

/** Whether a finding is left out where a program made the rule. */
export function isMutedInGenerated(check: Check, report: Report): boolean {
  return check.kind === 'hygiene' || check.mutedIn !== undefined || report.mutedIn !== undefined;
}

/** From a check's report about a rule set to a finding, whose witness the engine has yet to confirm. */
export function toFinding(check: Check, report: Report, ruleset: Ruleset): Finding {
  const { at } = report;
  const owner = makerOf(ruleset, report);
  const hits = check.claimsDead === true ? at?.rule.counters?.packets ?? 0n : 0n;
  return {
    check: check.name,
    severity: report.severity ?? check.severity,
    certainty: hits > 0n ? 'possible' : report.certainty ?? 'certain',
    message: hits > 0n ? `${report.message}; but the counter of the rule says ${String(hits)} (were rules changed since?)` : report.message,
    span: report.span ?? (at === undefined ? { start: 0, end: 0 } : { start: at.rule.start, end: at.rule.end }),
    rule: at === undefined ? null : referenceOf(at),
    because: report.because ?? [],
    ...report.alike === undefined || report.alike < 2 ? {} : { alike: report.alike },
    witness: null,
    help: report.help,
    // What the kernel has counted may be right.
    ...report.fix === undefined || hits > 0n ? {} : { fix: report.fix },
    ...owner === undefined ? {} : { owner },
  };
}
