/** `--format rdjson`: the Reviewdog Diagnostic Format, for reviewdog's comments on pull requests. */
import type { Severity } from '../analyzer/model/diagnostic.js';
import type { Finding } from '../analyzer/finding.js';
import type { SourceText, Span } from '../grammar/source-text.js';
import { placeOf } from './place.js';
import { docsUrl, placeOfFailure, type Failure, type Format } from './report.js';
import { relativePath } from './relative-path.js';
import { visible, visibleJson } from './visible.js';

const severities: Readonly<Record<Severity, string>> = { error: 'ERROR', warning: 'WARNING', info: 'INFO' };

/** Columns of this format count bytes of UTF-8. */
function range(source: SourceText, span: Span): object {
  const { line, column, endLine, endColumn } = placeOf(source, span);
  const bytes = (at: number, before: number): number => Buffer.byteLength(source.text.slice(at - before, at)) + 1;
  return { start: { line, column: bytes(span.start, column - 1) }, end: { line: endLine, column: bytes(span.end, endColumn - 1) } };
}

function diagnostic(source: SourceText, { check, severity, message, help, span, fix, because }: Finding): object {
  const [path, url] = [relativePath(source.path), docsUrl(check)];
  return {
    message: visible(help === '' ? message : `${message}\n${help}`).replaceAll('\\x0a', '\n'),
    location: { path, range: range(source, span) },
    severity: severities[severity],
    code: { value: check, ...url === undefined ? {} : { url } },
    // Suggestions are taken or left one by one: what needs several edits is none.
    ...fix?.edits.length === 1 ? { suggestions: fix.edits.map(({ span: place, text }) => ({ range: range(source, place), text })) } : {},
    ...because.length === 0 ? {} : { related_locations: because.filter(({ line }) => line > 0).map(one => ({ message: visible(`${one.rule}: ${one.message}`), location: { path, range: { start: { line: one.line } } } })) },
  };
}

function failed(failure: Failure): object {
  return { message: visible(failure.message), location: { path: relativePath(placeOfFailure(failure)) }, severity: severities.error };
}

export const rdjson: Format = report => `${visibleJson(JSON.stringify({
  source: { name: 'iptables-lint', url: 'https://github.com/iptables-lint/iptables-lint' },
  diagnostics: [...report.files.flatMap(({ source, findings }) => findings.map(finding => diagnostic(source, finding))), ...(report.failures ?? []).map(failed)],
}, null, 2))}\n`;
