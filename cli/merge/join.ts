/** One report of several, as one run would have printed it. */
import { jsonEnd, jsonFile, ndjsonLine, summaryJson } from '../../report/json.js';
import type { Failure, Totals } from '../../report/report.js';
import { allUndecided } from '../../report/notes.js';
import { Trouble } from '../trouble.js';
import type { JsonPart, Part, Summary } from './read-part.js';

export interface Joined {
  readonly text: string;
  readonly totals: Totals;
}

type JsonFile = JsonPart['files'][number];

function sum(parts: readonly Part[], key: Exclude<keyof Summary, 'undecidedBy'>): number {
  return parts.reduce((total, { summary }) => total + (summary[key] ?? 0), 0);
}

function json(parts: readonly Part[], lost: readonly Failure[], totals: Totals): string {
  const wrong = parts.find(part => part.format === 'ndjson');
  if (wrong !== undefined) throw new Trouble(`${wrong.path} is ndjson, which does not name the files without findings: --format ndjson joins it`);
  const own = parts.flatMap(part => part.format === 'json' ? [part] : []);
  const files = own.flatMap(part => part.files);
  const failures = [...own.flatMap(part => part.failures), ...lost];
  return files.flatMap((file, index) => [...jsonFile(file, index === 0)]).join('') + jsonEnd({ ...failures.length === 0 ? {} : { failures }, summary: summaryJson(totals) }, files.length === 0);
}

function fileLines({ path, findings, suppressed = [] }: JsonFile): readonly string[] {
  return [...findings, ...suppressed].map(finding => ndjsonLine({ path, ...finding }));
}

function failureLine({ path, message }: Failure): string {
  return ndjsonLine({ path, failure: message });
}

function ndjson(parts: readonly Part[], lost: readonly Failure[], totals: Totals): string {
  const lines = parts.flatMap(part => part.format === 'ndjson' ? part.lines : [...part.files.flatMap(fileLines), ...part.failures.map(failureLine)]);
  return [...lines, ...lost.map(failureLine), ndjsonLine({ schemaVersion: 1, summary: summaryJson(totals) })].join('');
}

/** `lost`: what is not in the parts, and should be. */
export function joined(parts: readonly Part[], format: 'json' | 'ndjson', lost: readonly Failure[]): Joined {
  const totals: Totals = {
    counts: { error: sum(parts, 'errors'), warning: sum(parts, 'warnings'), info: sum(parts, 'infos') },
    undecided: allUndecided(parts.map(({ summary }) => summary.undecidedBy ?? {})), internalErrors: sum(parts, 'internalErrors'), generated: sum(parts, 'generated'), incomplete: sum(parts, 'incomplete') + lost.length, failures: lost,
  };
  return { text: format === 'json' ? json(parts, lost, totals) : ndjson(parts, lost, totals), totals };
}
