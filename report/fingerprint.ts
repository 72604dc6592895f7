/** Names for findings that stay the same when lines move: for baselines, and for services that track findings. */
import { createHash } from 'node:crypto';
import { isRemark } from '../analyzer/checks/shared/catch-all.js';
import type { Finding } from '../analyzer/finding.js';
import { printRule } from '../analyzer/model/print.js';
import { isTableName } from '../analyzer/model/ruleset.js';
import { lineText, positionAt, type SourceText } from '../grammar/source-text.js';
import type { FileReport } from './report.js';

/** `filter:INPUT:3` taken apart; a chain's name may have colons in it. */
function partsOf(reference: string): { readonly table: string; readonly chain: string; readonly position: number } {
  const first = reference.indexOf(':');
  const last = reference.lastIndexOf(':');
  return { table: reference.slice(0, first), chain: reference.slice(first + 1, last), position: Number(reference.slice(last + 1)) };
}

/** The rule as it is saved, without its number, which changes with every rule before it, and without what is said of it to the reader. */
function ruleText({ rulesets = [] }: FileReport, reference: string): string | undefined {
  const { table: name, chain, position } = partsOf(reference);
  for (const { tables, family, backend } of rulesets) {
    const rule = isTableName(name) ? tables.get(name)?.chains.get(chain)?.rules[position - 1] : undefined;
    if (rule !== undefined) return printRule({ ...rule, matches: rule.matches.filter(use => !isRemark(use)) }, chain, { table: name, family, backend });
  }
  return undefined;
}

/** The line that a finding is about, without its counters. */
function lineOf(source: SourceText, { span }: Finding): string {
  if (span.end === 0) return '';
  return lineText(source, positionAt(source, span.start).line).trim().replace(/^\[\d+:\d+\]\s*|\s*\[\d+:\d+\]$/gu, '');
}

/** The table, and what the finding is about there, in words that stay. */
function subjectOf(file: FileReport, finding: Finding): string {
  const { rule } = finding;
  const text = rule === null ? undefined : ruleText(file, rule);
  return rule === null || text === undefined ? lineOf(file.source, finding) : `${partsOf(rule).table} ${text}`;
}

/**
 * For each finding of a file, in order: 32 hexadecimal digits of its check, its chain and its rule, and where it is about several rules of how many. Of findings that are
 * alike in these, the second is not the first: a number tells them apart, so that a new one does not hide behind an old.
 * Those that have theirs already keep it.
 */
export function fingerprintsOf(file: FileReport): readonly string[] {
  const seen = new Map<string, number>();
  return file.findings.map(finding => {
    if (finding.fingerprint !== undefined) return finding.fingerprint;
    const words = `${finding.check}\0${subjectOf(file, finding)}${finding.alike === undefined ? '' : `\0${String(finding.alike)} rules`}`;
    const before = seen.get(words) ?? 0;
    seen.set(words, before + 1);
    return createHash('sha256').update(`${words}\0${String(before)}`).digest('hex').slice(0, 32);
  });
}
