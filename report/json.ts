/** `--format json`: a stable contract for programs. A change that could break a reader raises `schemaVersion`. */
import type { Finding, Fix } from '../analyzer/finding.js';
import type { SourceText } from '../grammar/source-text.js';
import { placeOf } from './place.js';
import { whole, type FileReport, type Format, type StreamedFormat, type Totals } from './report.js';
import { questionsIn } from './notes.js';
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
  function* written(some: readonly Finding[]): Generator<object, void> {
    for (const finding of some) yield findingJson(source, finding);
  }
  return { path: source.path, findings: written(findings), ...suppressed === undefined ? {} : { suppressed: written(suppressed) } };
}

export function summaryJson({ counts, undecided, internalErrors, generated, incomplete }: Totals): object {
  return {
    errors: counts.error, warnings: counts.warning, infos: counts.info,
    ...questionsIn(undecided) > 0 ? { undecided: questionsIn(undecided), undecidedBy: undecided } : {}, ...internalErrors > 0 ? { internalErrors } : {}, ...generated > 0 ? { generated } : {},
    ...incomplete > 0 ? { incomplete } : {},
  };
}

function indented(value: unknown, by: string): string {
  return visibleJson(JSON.stringify(value, null, 2)).replaceAll('\n', `\n${by}`);
}

/** A line of `--format ndjson`. */
export function ndjsonLine(value: object): string {
  return `${visibleJson(JSON.stringify(value))}\n`;
}

const opening = '{\n  "schemaVersion": 1,\n  "files": [';

function isList(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

/** A list whose values are made when it is their turn. */
function* list(values: Iterable<unknown>, by: string): Generator<string, void> {
  let isEmpty = true;
  for (const value of values) {
    yield `${isEmpty ? '[' : ','}\n${by}  ${indented(value, `${by}  `)}`;
    isEmpty = false;
  }
  yield isEmpty ? '[]' : `\n${by}]`;
}

/** A file, of which the document's values are those of `fileJson`, or of a report that was read. */
export function* jsonFile(file: object, isFirst: boolean): Generator<string, void> {
  let before = `${isFirst ? opening : ','}\n    {`;
  for (const [key, value] of Object.entries(file) as [string, unknown][]) {
    yield `${before}\n      ${indented(key, '')}: `;
    yield* isList(value) ? list(value, '      ') : [indented(value, '      ')];
    before = ',';
  }
  yield '\n    }';
}

/** What comes behind the files: each a key and its value. */
export function jsonEnd(rest: object, isEmpty: boolean): string {
  return `${isEmpty ? `${opening}]` : '\n  ]'}${Object.entries(rest).map(([key, value]) => `,\n  ${JSON.stringify(key)}: ${indented(value, '  ')}`).join('')}\n}\n`;
}

export const jsonParts: StreamedFormat = {
  file: (file, isFirst) => jsonFile(fileJson(file), isFirst),
  failure: () => '',
  end: (totals, isEmpty) => jsonEnd({
    ...totals.failures.length === 0 ? {} : { failures: totals.failures }, ...totals.shard === undefined ? {} : { shard: totals.shard }, summary: summaryJson(totals),
  }, isEmpty),
};

export const json: Format = whole(jsonParts);
