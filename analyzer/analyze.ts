/** From a source text to findings: load, run the checks, collect. */
import type { SourceText } from '../grammar/source-text.js';
import { toFinding, type Check, type CheckContext } from './checks/define-check.js';
import { checks as allChecks } from './checks/index.js';
import type { Finding } from './finding.js';
import type { Diagnostic, Severity } from './model/diagnostic.js';
import type { LoadCheckName } from './model/load-checks.js';
import { load, type Loaded, type LoadOptions } from './model/load.js';
import type { Ruleset, Table } from './model/ruleset.js';
import type { Reach, RuleAt } from './packet-space/answers.js';
import { packetSpace, reach, type PacketSpace } from './packet-space/index.js';
import type { Chain, Rule } from './model/ruleset.js';

export interface AnalyzeOptions extends LoadOptions {
  /** By check name. What is absent has the severity that the check gives. */
  readonly severities?: Readonly<Record<string, Severity | 'off'>>;
  /** Absent: all. */
  readonly checks?: readonly Check[];
}

export interface Analysis {
  readonly source: SourceText;
  /** What loading found and what the checks found, by their place in the file. */
  readonly findings: readonly Finding[];
  readonly loaded: Loaded;
  /** Questions that the budget left open. */
  readonly undecided: number;
  /** Some part of the file could not be read, so the findings are not all there is. */
  readonly unreadable: boolean;
}

/** Findings of loading that mean: this was not understood. The others are understood, and refused. */
const unreadableChecks = new Set<LoadCheckName>(['syntax-error', 'unknown-option', 'rule-outside-table', 'missing-commit', 'unknown-table']);

function fromDiagnostic(diagnostic: Diagnostic): Finding {
  const { check, severity, message, span, rule, help } = diagnostic;
  return { check, severity, certainty: 'certain', message, span, rule: rule ?? null, because: [], witness: null, help: help ?? '' };
}

function contextOf(ruleset: Ruleset, count: (by: number) => void): CheckContext {
  let space: PacketSpace | undefined;
  const reached = new Map<Table, ReadonlyMap<Rule, Reach>>();
  const getSpace = (): PacketSpace => space ??= packetSpace(ruleset);
  return {
    ruleset,
    space: getSpace,
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

function applySeverity(finding: Finding, severities: AnalyzeOptions['severities']): Finding | undefined {
  const wanted = severities?.[finding.check];
  if (wanted === 'off') return undefined;
  return wanted === undefined ? finding : { ...finding, severity: wanted };
}

/** By place, then by name: the same input gives the same output in the same order. */
function byPlace(a: Finding, b: Finding): number {
  return a.span.start - b.span.start || a.span.end - b.span.end || (a.check < b.check ? -1 : a.check > b.check ? 1 : 0);
}

/** A line that is read for both families may yield the same finding twice. */
function withoutRepeats(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ check, span, message }) => {
    const key = `${check} ${String(span.start)} ${String(span.end)} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** Lints one source. Never throws on bad input. */
export function analyze(source: SourceText, options: AnalyzeOptions = {}): Analysis {
  const loaded = load(source, options);
  const findings: Finding[] = loaded.diagnostics.map(fromDiagnostic);
  let undecided = 0;
  for (const ruleset of loaded.rulesets) {
    const cx = contextOf(ruleset, by => { undecided += by; });
    for (const check of options.checks ?? allChecks) {
      if (options.severities?.[check.name] === 'off') continue;
      for (const report of check.run(cx)) findings.push(toFinding(check, report));
    }
  }
  return {
    source: loaded.source, loaded, undecided,
    findings: withoutRepeats(findings).flatMap(finding => applySeverity(finding, options.severities) ?? []).sort(byPlace),
    unreadable: loaded.diagnostics.some(one => one.severity === 'error' && unreadableChecks.has(one.check)),
  };
}
