/** A report as `--format json` prints it: what replaying reads of it is checked, and the rest is kept as it is. */
import * as v from 'valibot';
import { packetSchema } from '../../analyzer/netfilter/scenario/schema.js';
import { readSource } from '../read-source.js';
import { Trouble } from '../trouble.js';

function found(input: unknown): string {
  return input === null ? 'null' : Array.isArray(input) ? 'a list' : typeof input === 'object' ? 'an object' : JSON.stringify(input).slice(0, 60);
}

function saying(what: string): (issue: v.BaseIssue<unknown>) => string {
  return issue => issue.input === undefined ? 'is missing' : `must be ${what}, and is ${found(issue.input)}`;
}

const text = v.string(saying('text'));
const number = v.number(saying('a number'));
const texts = v.array(text, saying('a list'));

const host = v.strictObject({
  interfaces: v.exactOptional(v.array(v.strictObject({ name: text, addresses: texts }, saying('an interface')), saying('a list'))),
  routes: v.exactOptional(texts), ipsets: v.exactOptional(text), conntrack: v.exactOptional(text),
}, saying('a host'));

const finding = v.looseObject({
  check: text, message: text, rule: v.nullable(text),
  line: number, column: number, endLine: number, endColumn: number,
  witness: v.nullable(v.array(v.strictObject({ in: text, packet: packetSchema }, saying('a packet and where it comes from')), saying('a list'))),
  host: v.exactOptional(host),
}, saying('a finding'));

const reportSchema = v.looseObject({
  schemaVersion: v.literal(1, saying('1, the version of reports that this program writes')),
  files: v.array(v.looseObject({ path: text, findings: v.array(finding, saying('a list')) }, saying('a file')), saying('a list')),
  summary: v.looseObject({}, saying('an object')),
}, saying('an object'));

export type JsonReport = v.InferOutput<typeof reportSchema>;
export type JsonFinding = v.InferOutput<typeof finding>;

function problemOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  return `${path ?? 'it'}${/^(?:must|is) /u.test(issue.message) ? '' : ':'} ${issue.message}`;
}

function parsed(path: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Trouble(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}; iptables-lint FILES --format json writes a report`);
  }
}

/** Reads a file, or standard input for `-`. `maxSize` is in megabytes. */
export async function readReport(path: string, maxSize: number | undefined): Promise<JsonReport> {
  const source = await readSource(path, undefined, maxSize);
  const checked = v.safeParse(reportSchema, parsed(source.path, source.text), { abortEarly: true });
  if (!checked.success) throw new Trouble(`${source.path} is no report of iptables-lint: ${problemOf(checked.issues[0])}`);
  return checked.output;
}
