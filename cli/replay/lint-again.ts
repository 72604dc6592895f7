/** The findings of a report, found again: a report has the packets, and only the check says what they show. */
import { isAbsolute, join } from 'node:path';
import { examine, type Found } from '../../analyzer/examine.js';
import type { Loaded } from '../../analyzer/model/load.js';
import { printRuleset } from '../../analyzer/model/print.js';
import type { Ruleset } from '../../analyzer/model/ruleset.js';
import { positionAt, type SourceText } from '../../grammar/source-text.js';
import { analyzeOptions } from '../lint/lint-job.js';
import { fileOfRules, jobsOf } from '../lint/jobs.js';
import type { LintPlan } from '../lint-plan.js';
import { siblingsAmong } from '../siblings.js';
import { Trouble } from '../trouble.js';
import type { JsonFinding, JsonReport } from './read-report.js';

export interface LintAgainOptions {
  /** Where the paths of the report begin. */
  readonly rulesRoot?: string;
  /** In megabytes. */
  readonly maxSize?: number;
}

function keyOf({ check, message, rule, line, column, endLine, endColumn }: Pick<JsonFinding, 'check' | 'message' | 'rule' | 'line' | 'column' | 'endLine' | 'endColumn'>): string {
  return JSON.stringify([check, message, rule, line, column, endLine, endColumn]);
}

function keyOfFound(source: SourceText, { finding: { check, message, rule, span } }: Found): string {
  const [start, end] = [positionAt(source, span.start), positionAt(source, span.end)];
  return keyOf({ check, message, rule, line: start.line, column: start.column, endLine: end.line, endColumn: end.column });
}

/** Where the rules of a report's file are now. */
function placeOf(path: string, { rulesRoot }: LintAgainOptions): string {
  return rulesRoot === undefined || isAbsolute(path) ? path : join(rulesRoot, path);
}

export interface LintedAgain {
  readonly find: (finding: JsonFinding) => Found | undefined;
  /** For iptables-restore. */
  readonly textOf: (ruleset: Ruleset) => string;
}

/** Without the built-in chains of which nothing is said: iptables-nft makes none of them, and the engine meets none. */
function withoutUnsaid(ruleset: Ruleset): Ruleset {
  const tables = [...ruleset.tables].map(([name, table]) => [name, { ...table, chains: new Map([...table.chains].filter(([, { hook, line, rules }]) => hook === undefined || line > 0 || rules.length > 0)) }] as const);
  return { ...ruleset, tables: new Map(tables) };
}

/** The file itself, where iptables-restore takes it: in the words of whoever wrote it. Else the rules that could be read of it. */
function restorable(ruleset: Ruleset, { format, rulesets, source, diagnostics }: Loaded): string {
  const isTaken = (format === 'save' || format === 'restore') && rulesets.length === 1 && !diagnostics.some(one => one.severity === 'error');
  if (isTaken) return source.text;
  return [...printRuleset(withoutUnsaid(ruleset))].map(line => `${line}\n`).join('');
}

/** Lints a file of the report again, as `plan` says; answers for each of its findings what is found now. @throws {Trouble} where it cannot be read */
export async function lintAgain(file: JsonReport['files'][number], report: JsonReport, options: LintAgainOptions, plan: LintPlan): Promise<LintedAgain> {
  const path = placeOf(file.path, options);
  const siblings = siblingsAmong(report.files.map(one => placeOf(one.path, options)));
  const jobs = await jobsOf(fileOfRules(path), { plan, options, siblings, extras: { decide: false, fingerprints: false, times: false } });
  const job = jobs.find(one => one.source.path === path);
  if (job === undefined) throw new Trouble(`${fileOfRules(path)} has no such rule set any more`);
  const { source } = job;
  const given = await analyzeOptions(job.settings);
  // Also those that are off unless somebody asks for them. All checks run: which questions are asked decides on the packets that are found.
  const named = Object.fromEntries(file.findings.map(({ check }) => [check, 'info'] as const));
  const { found, source: read, loaded } = examine(source, { ...given, showGenerated: true, severities: { ...given.severities, ...named } });
  const byKey = new Map(found.map(one => [keyOfFound(read, one), one]));
  return { find: finding => byKey.get(keyOf(finding)), textOf: ruleset => restorable(ruleset, loaded) };
}
