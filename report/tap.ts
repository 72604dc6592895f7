/** `--format tap`: the Test Anything Protocol, version 14. Errors, warnings and what could not be linted are not ok; infos are, and say what they have to say. */
import { stringify } from 'yaml';
import type { Finding } from '../analyzer/finding.js';
import type { SourceText } from '../grammar/source-text.js';
import { placeOf } from './place.js';
import { placeOfFailure, type Format } from './report.js';
import { visible } from './visible.js';

/** `#` and `\` mean something in a description. */
function description(text: string): string {
  return visible(text).replace(/[\\#]/gu, character => `\\${character}`);
}

function block(value: object): string {
  return ['---', ...stringify(value, { lineWidth: 0 }).trimEnd().split('\n'), '...'].map(one => `  ${one}\n`).join('');
}

function diagnostics(source: SourceText, { check, severity, certainty, message, rule, help, span }: Finding): string {
  const { line, column } = placeOf(source, span);
  return block({ check, severity, certainty, message: visible(message), at: { file: visible(source.path), line, column }, ...rule === null ? {} : { rule }, ...help === '' ? {} : { help: visible(help) } });
}

export const tap: Format = ({ files, failures = [] }) => {
  const linted = files.flatMap(({ source, findings }) => findings.length === 0 ? [{ ok: true, name: source.path, more: '' }] : findings.map(finding => {
    const { line, column } = placeOf(source, finding.span);
    return { ok: finding.severity === 'info', name: `${source.path}:${String(line)}:${String(column)} ${finding.check}`, more: diagnostics(source, finding) };
  }));
  const points = [...linted, ...failures.map(failure => ({ ok: false, name: `${placeOfFailure(failure)} not linted`, more: block({ message: visible(failure.message) }) }))];
  return `TAP version 14\n1..${String(points.length)}\n${points.map(({ ok, name, more }, index) => `${ok ? 'ok' : 'not ok'} ${String(index + 1)} - ${description(name)}\n${more}`).join('')}`;
};
