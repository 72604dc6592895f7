/** `--format json`: a stable contract for programs. A change that could break a reader raises `schemaVersion`. */
import type { Finding } from '../analyzer/finding.js';
import { positionAt, type SourceText, type Span } from '../grammar/source-text.js';
import { allFindings, countBySeverity, type FileReport, type Format } from './report.js';
import { visibleJson } from './visible.js';

/** Lines and columns count from 1; columns count UTF-16 units; the end is exclusive. */
function place(source: SourceText, span: Span): { line: number; column: number; endLine: number; endColumn: number } {
  const start = positionAt(source, span.start);
  const end = positionAt(source, span.end);
  return { line: start.line, column: start.column, endLine: end.line, endColumn: end.column };
}

function findingJson(source: SourceText, finding: Finding): object {
  const { check, severity, certainty, message, span, rule, because, witness, host, help, fix } = finding;
  return {
    check, severity, certainty, message,
    ...place(source, span),
    rule,
    because: because.map(one => ({ rule: one.rule, line: one.line, message: one.message })),
    witness, ...host === undefined ? {} : { host }, help,
    ...fix === undefined ? {} : { fix: { description: fix.description, ...place(source, fix.span), text: fix.text } },
  };
}

function fileJson({ source, findings }: FileReport): object {
  return { path: source.path, findings: findings.map(finding => findingJson(source, finding)) };
}

export const json: Format = report => {
  const counts = countBySeverity(allFindings(report));
  const { internalErrors = 0 } = report;
  const summary = { errors: counts.error, warnings: counts.warning, infos: counts.info, ...report.undecided > 0 ? { undecided: report.undecided } : {}, ...internalErrors > 0 ? { internalErrors } : {} };
  return `${visibleJson(JSON.stringify({ schemaVersion: 1, files: report.files.map(fileJson), summary }, null, 2))}\n`;
};
