/** The formats by name. Each is loaded only when it is asked for. */
import type { Format, StreamedFormat } from './report.js';

export const formatNames = ['pretty', 'full', 'compact', 'json', 'ndjson', 'sarif', 'github', 'gitlab', 'junit', 'checkstyle', 'rdjson', 'tap', 'markdown'] as const;
export type FormatName = (typeof formatNames)[number];

/** What each is for, in a line: docs/formats.md. */
export const formatWords: Readonly<Record<FormatName, string>> = {
  pretty: 'The default: a line for each finding, file by file. For people at a terminal.',
  full: 'Frames with the rule, the rules that have a part in it, the packets that show it, and what to do. For people who repair it.',
  compact: 'A line for each finding, as compilers print them. For editors, problem matchers and grep.',
  json: 'All there is, as one document, a stable contract. Its schema is [report.schema.json](report.schema.json).',
  ndjson: 'The same, a finding a line, and the summary as the last line. For jq and for many files. The schema of a line is [report-line.schema.json](report-line.schema.json).',
  sarif: 'SARIF 2.1.0, with related locations, code flows of packets and fingerprints that stay when lines move. For code scanning of GitHub and others.',
  github: 'Workflow commands that annotate the lines of a change. For GitHub Actions.',
  gitlab: 'A report of GitLab Code Quality. For merge requests.',
  junit: 'A test suite for each file. For CI servers that show tests.',
  checkstyle: 'The XML of Checkstyle, which many programs read.',
  rdjson: 'The Reviewdog Diagnostic Format. For comments on changes by reviewdog.',
  tap: 'Test Anything Protocol 14: a point for each finding.',
  markdown: 'A table for each file. For job summaries and comments.',
};

/** Those that have a place for findings and failures only. */
const withoutNotes = new Set<FormatName>(['sarif', 'gitlab', 'junit', 'checkstyle', 'rdjson', 'tap']);

/** Whether it says what is left out of it. */
export function hasNotes(format: FormatName): boolean {
  return !withoutNotes.has(format);
}

const loaders: Readonly<Record<FormatName, () => Promise<Format>>> = {
  pretty: async () => (await import('./pretty.js')).pretty,
  full: async () => (await import('./full.js')).full,
  compact: async () => (await import('./compact.js')).compact,
  json: async () => (await import('./json.js')).json,
  ndjson: async () => (await import('./ndjson.js')).ndjson,
  sarif: async () => (await import('./sarif.js')).sarif,
  github: async () => (await import('./github.js')).github,
  gitlab: async () => (await import('./gitlab.js')).gitlab,
  junit: async () => (await import('./junit.js')).junit,
  checkstyle: async () => (await import('./checkstyle.js')).checkstyle,
  rdjson: async () => (await import('./rdjson.js')).rdjson,
  tap: async () => (await import('./tap.js')).tap,
  markdown: async () => (await import('./markdown.js')).markdown,
};

const streamed: Readonly<Partial<Record<FormatName, () => Promise<StreamedFormat>>>> = {
  json: async () => (await import('./json.js')).jsonParts,
  ndjson: async () => (await import('./ndjson.js')).ndjsonParts,
};

/** The format in parts; undefined where it needs all files at once. */
export async function loadStreamed(name: FormatName): Promise<StreamedFormat | undefined> {
  return streamed[name]?.();
}

export function loadFormat(name: FormatName): Promise<Format> {
  return loaders[name]();
}
