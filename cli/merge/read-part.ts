/** A report that is to be merged: what merging needs of it is checked, and the rest is kept as it is. */
import * as v from 'valibot';
import { readFile } from 'node:fs/promises';
import { lineSchema, reportSchema, type JsonReport } from '../../report/report-schema.js';
import type { Failure, Shard } from '../../report/report.js';
import { standardInput, unnamedInput } from '../read-source.js';
import { readStream } from '../streams.js';
import { systemCause, Trouble } from '../trouble.js';

const natural = v.pipe(v.number('must be a number'), v.integer('must be a whole number'), v.minValue(0, 'must not be negative'));
const optional = v.exactOptional(natural);

/** Strict: what is not known cannot be added up. */
const summarySchema = v.strictObject({
  errors: natural, warnings: natural, infos: natural, undecided: optional, undecidedBy: v.exactOptional(v.record(v.string(), natural)), internalErrors: optional, generated: optional, incomplete: optional,
}, 'is no summary that can be added up');

export type Summary = v.InferOutput<typeof summarySchema>;

interface Common {
  readonly path: string;
  /** The files that it is of, as far as it names them. */
  readonly of: ReadonlySet<string>;
  readonly shard?: Shard | undefined;
  readonly summary: Summary;
}

export type JsonPart = Common & { readonly format: 'json'; readonly files: JsonReport['files']; readonly failures: readonly Failure[] };
/** `lines`: all but the summary, each with its line end. */
export type NdjsonPart = Common & { readonly format: 'ndjson'; readonly lines: readonly string[] };
export type Part = JsonPart | NdjsonPart;

/** The value itself, not what the schema makes of it: that has its keys in another order. */
function checked<T>(schema: v.GenericSchema<T>, value: unknown, where: string, key?: string): T {
  const { success, issues } = v.safeParse(schema, value, { abortEarly: true });
  if (success) return value as T;
  const [issue] = issues;
  throw new Trouble(`${where} is no report of iptables-lint that can be merged: ${[key, v.getDotPath(issue)].filter(one => one != null).join('.') || 'it'} ${issue.expected === 'never' ? 'cannot be added up' : issue.message}`);
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function isJsonReport(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'files' in value;
}

function ndjsonPart(path: string, text: string): NdjsonPart {
  const cutOff = new Trouble(`${path} is cut off or no report: its last line is not the summary that --format ndjson ends with`);
  if (!text.endsWith('\n')) throw cutOff;
  const lines = text.slice(0, -1).split('\n');
  const values = lines.map((line, index) => {
    const one = parsed(line);
    if (one === undefined) throw index === lines.length - 1 ? cutOff : new Trouble(`${path}:${String(index + 1)} is damaged: it is not JSON`);
    return one.value;
  });
  const last = values.pop();
  if (typeof last !== 'object' || last === null || !('summary' in last)) throw cutOff;
  const read = checked(lineSchema, last, `${path}:${String(lines.length)}`);
  if (!('summary' in read)) throw cutOff;
  const summary = checked(summarySchema, read.summary, path, 'summary');
  const counts = { error: 0, warning: 0, info: 0 };
  const of = new Set<string>();
  for (const [index, value] of values.entries()) {
    const { path: file, severity, suppressed } = checked(lineSchema, value, `${path}:${String(index + 1)}`) as { readonly path?: string | null; readonly severity?: keyof typeof counts; readonly suppressed?: unknown };
    if (file != null) of.add(file);
    if (severity !== undefined && suppressed === undefined) counts[severity]++;
  }
  mustAgree(path, summary, counts);
  return { path, of, format: 'ndjson', lines: lines.slice(0, -1).map(line => `${line}\n`), shard: (read as { readonly shard?: Shard }).shard, summary };
}

/** A report whose parts were lost or doubled on the way does not agree with its own summary. */
function mustAgree(path: string, { errors, warnings, infos }: Summary, found: { readonly error: number; readonly warning: number; readonly info: number }): void {
  if (errors === found.error && warnings === found.warning && infos === found.info) return;
  throw new Trouble(`${path} is damaged: its summary counts ${String(errors + warnings + infos)} findings, and it has ${String(found.error + found.warning + found.info)}`);
}

function jsonPart(path: string, value: unknown): JsonPart {
  const { files, failures = [], shard, summary: said } = checked(reportSchema, value, path);
  const summary = checked(summarySchema, said, path, 'summary');
  const counts = { error: 0, warning: 0, info: 0 };
  for (const { findings } of files) for (const { severity } of findings) counts[severity]++;
  mustAgree(path, summary, counts);
  return { path, of: new Set(files.map(file => file.path)), format: 'json', files, failures, shard, summary };
}

async function textOf(file: string): Promise<string> {
  return file === standardInput ? Buffer.from(await readStream(process.stdin, Infinity) ?? []).toString() : readFile(file, 'utf8');
}

/**
 * A report, from a file or, for `-`, from standard input.
 * @throws {Trouble} where it cannot be read, is damaged, or of another version
 */
export async function readPart(file: string): Promise<Part> {
  const path = file === standardInput ? unnamedInput : file;
  let text: string;
  try {
    text = await textOf(file);
  } catch (error) {
    throw new Trouble(`cannot read ${path}: ${systemCause(error)}`, { cause: error });
  }
  if (text.trim() === '') throw new Trouble(`${path} is empty: it is no report`);
  const whole = parsed(text);
  if (whole !== undefined && (isJsonReport(whole.value) || text.trimEnd().includes('\n'))) return jsonPart(path, whole.value);
  if (text.startsWith('{\n')) throw new Trouble(`${path} is cut off: it is not JSON to its end`);
  return ndjsonPart(path, text);
}
