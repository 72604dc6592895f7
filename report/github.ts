/** `--format github`: workflow commands, which GitHub shows at the lines of a change. It shows ten of a kind for each step; all are in the log. */
import type { Severity } from '../analyzer/model/diagnostic.js';
import { placeOf } from './place.js';
import { notesOf } from './notes.js';
import { countsOf, messageOf, nothingFound, type Format } from './report.js';
import { visible } from './visible.js';

const commands: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'notice' };

/** What a workflow command may not hold (actions/toolkit, core/src/command.ts). */
function data(text: string): string {
  return visible(text).replaceAll('%', '%25');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

export const github: Format = report => {
  const lines = report.files.flatMap(({ source, findings }) => findings.map(finding => {
    const { check, severity, span, help } = finding;
    const { line, column, endLine, endColumn } = placeOf(source, span);
    // GitHub takes columns only where the annotation is on one line.
    const place = line === endLine ? `line=${String(line)},col=${String(column)},endColumn=${String(endColumn)}` : `line=${String(line)},endLine=${String(endLine)}`;
    const text = `${messageOf(finding)}${help === '' ? '' : `; ${help}`}`;
    return `::${commands[severity]} file=${property(source.path)},${place},title=${property(check)}::${data(text)}`;
  }));
  // What is no file is an annotation of the run.
  const failures = (report.failures ?? []).map(({ path, message }) => `::error ${path === null ? '' : `file=${property(path)},`}title=not linted::${data(message)}`);
  const counts = countsOf(report);
  return [...lines, ...failures, `iptables-lint: ${counts === '' ? nothingFound(report) : counts}`, ...notesOf(report)].map(line => `${line}\n`).join('');
};
