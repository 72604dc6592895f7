/** `--format markdown`: a table for each file, for job summaries and comments. */
import type { Severity } from '../analyzer/model/diagnostic.js';
import { placeOf } from './place.js';
import { notesOf } from './notes.js';
import { countOf, countsOf, docsUrl, messageOf, nothingFound, type FileReport, type Format, type Report } from './report.js';
import { visible } from './visible.js';

const signs: Readonly<Record<Severity, string>> = { error: '❌ error', warning: '⚠️ warning', info: 'ℹ️ info' };

/** Text that means nothing but itself in a cell of a table. */
function cell(text: string): string {
  return visible(text).replace(/[\\`*_[\]<>|~#@&]/gu, character => `&#${String(character.codePointAt(0))};`);
}

function named(check: string): string {
  const page = docsUrl(check);
  return page === undefined ? cell(check) : `[${check}](${page})`;
}

function* section({ source, findings }: FileReport): Generator<string, void> {
  if (findings.length === 0) return;
  yield `### ${cell(source.path)}\n\n| | line | finding | what to do |\n|---|---|---|---|`;
  for (const finding of findings) {
    const { check, severity, help, span } = finding;
    const { line } = placeOf(source, span);
    yield `| ${signs[severity]} | ${String(line)} | ${cell(messageOf(finding))} (${named(check)}) | ${cell(help)} |`;
  }
  yield '';
}

function summary(report: Report): string {
  const counts = countsOf(report);
  return `iptables-lint: ${counts === '' ? nothingFound(report) : `${counts} in ${countOf(report.files.length, 'file')}`}`;
}

export const markdown: Format = report => {
  return `${[`**${summary(report)}**`, '', ...report.files.flatMap(file => [...section(file)]), ...(report.failures ?? []).map(({ message }) => `❌ not linted: ${cell(message)}\n`), ...notesOf(report)].join('\n').trimEnd()}\n`;
};
