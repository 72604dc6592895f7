/** `--format json`: a stable contract for programs. A change that could break a reader raises `schemaVersion`. */
import type { Finding, Fix } from '../analyzer/finding.js';
import type { SourceText } from '../grammar/source-text.js';
import { placeOf } from './place.js';
import { allFindings, countBySeverity, type FileReport, type Format, type Report } from './report.js';
import { visibleJson } from './visible.js';

/** Of the first edit it is told twice where it is: there was one only, once. */
function fixJson(source: SourceText, { description, safety, edits }: Fix): object {
  const written = edits.map(({ span, text }) => ({ ...placeOf(source, span), text }));
  return { description, ...written[0], safety, edits: written };
}

export function findingJson(source: SourceText, finding: Finding): object {
  const { check, severity, certainty, message, span, rule, because, witness, host, help, fix, owner, suppressed } = finding;
  return {
    check, severity, certainty, message,
    ...placeOf(source, span),
    rule,
    because: because.map(one => ({ rule: one.rule, line: one.line, message: one.message })),
    witness, ...host === undefined ? {} : { host }, help,
    ...fix === undefined ? {} : { fix: fixJson(source, fix) },
    ...owner === undefined ? {} : { owner },
    ...suppressed === undefined ? {} : { suppressed },
  };
}

function fileJson({ source, findings, suppressed }: FileReport): object {
  const written = (some: readonly Finding[]): readonly object[] => some.map(finding => findingJson(source, finding));
  return { path: source.path, findings: written(findings), ...suppressed === undefined ? {} : { suppressed: written(suppressed) } };
}

export function summaryJson(report: Report): object {
  const counts = countBySeverity(allFindings(report));
  const { internalErrors = 0, generated = 0, undecided } = report;
  return {
    errors: counts.error, warnings: counts.warning, infos: counts.info,
    ...undecided > 0 ? { undecided } : {}, ...internalErrors > 0 ? { internalErrors } : {}, ...generated > 0 ? { generated } : {},
  };
}

export const json: Format = report => {
  return `${visibleJson(JSON.stringify({ schemaVersion: 1, files: report.files.map(fileJson), summary: summaryJson(report) }, null, 2))}\n`;
};
