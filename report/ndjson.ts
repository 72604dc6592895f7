/** `--format ndjson`: the findings of `--format json` one a line, each with its path, and the summary as the last line. */
import { findingJson, summaryJson } from './json.js';
import type { Format } from './report.js';
import { visibleJson } from './visible.js';

function line(value: object): string {
  return `${visibleJson(JSON.stringify(value))}\n`;
}

export const ndjson: Format = report => [
  ...report.files.flatMap(({ source, findings, suppressed = [] }) => [...findings, ...suppressed].map(finding => line({ path: source.path, ...findingJson(source, finding) }))),
  line({ schemaVersion: 1, summary: summaryJson(report) }),
].join('');
