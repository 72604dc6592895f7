/** From a source text to findings whose witnesses nobody has confirmed: load, run the checks, collect. */
import type { SourceText } from '../grammar/source-text.js';
import { toFinding, type Check, type CheckContext, type Report } from './checks/define-check.js';
import { checks as allChecks } from './checks/index.js';
import type { Finding } from './finding.js';
import type { Diagnostic, Severity } from './model/diagnostic.js';
import type { LoadCheckName } from './model/load-checks.js';
import { load, type Loaded, type LoadOptions } from './model/load.js';
import type { Chain, Rule, Ruleset, Table } from './model/ruleset.js';
import type { Reach, RuleAt } from './packet-space/answers.js';
import { packetSpace, reach, type PacketSpace } from './packet-space/index.js';
import { pipeline, type Pipeline } from './packet-space/pipeline/index.js';
import { askedOfPipeline } from './checks/asked.js';
import type { Proposal } from './witness/proposal.js';

export interface AnalyzeOptions extends LoadOptions {
  /** By check name. What is absent has the severity that the check gives. */
  readonly severities?: Readonly<Record<string, Severity | 'off'>>;
  /** Absent: all. */
  readonly checks?: readonly Check[];
}

/** A finding, its witness still to be confirmed. */
export interface Found {
  readonly finding: Finding;
  readonly ruleset: Ruleset | undefined;
  readonly proposal: Proposal | undefined;
}

export interface Examination {
  readonly source: SourceText;
  /** What loading found and what the checks found, by their place in the file. */
  readonly found: readonly Found[];
  readonly loaded: Loaded;
  /** Questions that the budget left open. */
  readonly undecided: number;
  /** Some part of the file could not be read, so the findings are not all there is. */
  readonly unreadable: boolean;
}

/** A mistake of ours: the engine says otherwise than the check. */
export interface InternalError {
  readonly check: string;
  /** The rule that the finding was about. */
  readonly rule: string | null;
  /** What the engine says, and of which packets. */
  readonly detail: string;
  /** The finding is not reported: it would be wrong. Else only its packets are left out. */
  readonly isWithdrawn: boolean;
}

export interface Analysis extends Omit<Examination, 'found'> {
  /** What loading found and what the checks found, by their place in the file. Their witnesses are confirmed by the engine. */
  readonly findings: readonly Finding[];
  readonly internalErrors: readonly InternalError[];
}

/** Findings of loading that mean: this was not understood. The others are understood, and refused. */
const unreadableChecks = new Set<LoadCheckName>(['syntax-error', 'unknown-option', 'rule-outside-table', 'missing-commit', 'unknown-table']);

/** In larger rule sets no packets are sought for what is proved without them, and not for more findings than these. */
const illustrated = { rules: 500, findings: 200 };

function fromDiagnostic(diagnostic: Diagnostic): Found {
  const { check, severity, message, span, rule, help } = diagnostic;
  const finding: Finding = { check, severity, certainty: 'certain', message, span, rule: rule ?? null, because: [], witness: null, help: help ?? '' };
  return { finding, ruleset: undefined, proposal: undefined };
}

function contextOf(ruleset: Ruleset, count: (by: number) => void): CheckContext {
  let space: PacketSpace | undefined;
  let whole: { readonly pipeline: Pipeline | undefined } | undefined;
  const reached = new Map<Table, ReadonlyMap<Rule, Reach>>();
  const getSpace = (): PacketSpace => space ??= packetSpace(ruleset);
  return {
    ruleset,
    space: getSpace,
    pipeline: () => (whole ??= { pipeline: pipeline(ruleset, { asked: askedOfPipeline(ruleset) }) }).pipeline,
    undecided: (by = 1) => { count(by); },
    reach: table => {
      let answer = reached.get(table);
      if (answer === undefined) {
        reached.set(table, answer = reach(getSpace(), table));
        count([...answer.values()].filter(one => one.kind === 'undecided').length);
      }
      return answer;
    },
    * rules(table): Generator<RuleAt & { in: Chain }, void> {
      for (const chain of table.chains.values()) {
        for (const [index, rule] of chain.rules.entries()) yield { table: table.name, chain: chain.name, position: index + 1, rule, in: chain };
      }
    },
  };
}

function ruleCount({ tables }: Ruleset): number {
  let count = 0;
  for (const table of tables.values()) for (const chain of table.chains.values()) count += chain.rules.length;
  return count;
}

/** Makes proposals of what the checks report about one rule set. */
function proposer(ruleset: Ruleset): (report: Report) => Proposal | undefined {
  let left = ruleCount(ruleset) > illustrated.rules ? 0 : illustrated.findings;
  return ({ witness, shows = [], illustrate, certainty = 'certain' }) => {
    if (witness !== undefined) return { steps: witness, shows, certainty };
    if (illustrate === undefined || left-- <= 0) return undefined;
    const made = illustrate();
    return made === undefined ? undefined : { ...made, certainty };
  };
}

function withSeverity(found: Found, severities: AnalyzeOptions['severities']): readonly Found[] {
  const wanted = severities?.[found.finding.check];
  if (wanted === 'off') return [];
  return [wanted === undefined ? found : { ...found, finding: { ...found.finding, severity: wanted } }];
}

/** By place, then by name: the same input gives the same output in the same order. */
function byPlace({ finding: a }: Found, { finding: b }: Found): number {
  return a.span.start - b.span.start || a.span.end - b.span.end || (a.check < b.check ? -1 : a.check > b.check ? 1 : 0);
}

/** A line that is read for both families may yield the same finding twice. */
function withoutRepeats(found: readonly Found[]): readonly Found[] {
  const seen = new Set<string>();
  return found.filter(({ finding: { check, span, message } }) => {
    const key = `${check} ${String(span.start)} ${String(span.end)} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** Loads one source and runs the checks on it. Never throws on bad input. */
export function examine(source: SourceText, options: AnalyzeOptions = {}): Examination {
  const loaded = load(source, options);
  const found: Found[] = loaded.diagnostics.map(fromDiagnostic);
  let undecided = 0;
  for (const ruleset of loaded.rulesets) {
    const cx = contextOf(ruleset, by => { undecided += by; });
    const propose = proposer(ruleset);
    for (const check of options.checks ?? allChecks) {
      if (options.severities?.[check.name] === 'off') continue;
      for (const report of check.run(cx)) found.push({ finding: toFinding(check, report), ruleset, proposal: propose(report) });
    }
  }
  return {
    source: loaded.source, loaded, undecided,
    found: withoutRepeats(found).flatMap(one => withSeverity(one, options.severities)).sort(byPlace),
    unreadable: loaded.diagnostics.some(one => one.severity === 'error' && unreadableChecks.has(one.check)),
  };
}

/** Whether there are witnesses for the engine to confirm. */
export function hasWitnesses({ found }: Examination): boolean {
  return found.some(({ proposal }) => proposal !== undefined);
}

/** The analysis of a source whose findings have no witnesses. */
export function withoutWitnesses({ found, ...examination }: Examination): Analysis {
  return { ...examination, findings: found.map(({ finding }) => finding), internalErrors: [] };
}

/** `analyze` without the engine, for those who do not ask for packets: it need not be loaded. */
export function analyzeWithoutWitnesses(source: SourceText, options: AnalyzeOptions = {}): Analysis {
  return withoutWitnesses(examine(source, options));
}
