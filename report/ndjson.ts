/** `--format ndjson`: the findings of `--format json` one a line, each with its path, and the summary as the last line. A file that could not be linted is a line with the reason as `failure`. */
import { findingJson, ndjsonLine, summaryJson } from './json.js';
import { whole, type Format, type StreamedFormat } from './report.js';

export const ndjsonParts: StreamedFormat = {
  *file({ source, findings, suppressed = [] }) {
    for (const finding of [...findings, ...suppressed]) yield ndjsonLine({ path: source.path, ...findingJson(source, finding) });
  },
  failure: ({ path, message }) => ndjsonLine({ path, failure: message }),
  end: totals => ndjsonLine({ schemaVersion: 1, ...totals.shard === undefined ? {} : { shard: totals.shard }, summary: summaryJson(totals) }),
};

export const ndjson: Format = whole(ndjsonParts);
