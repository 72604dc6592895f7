/** What a report holds (`--format json`): docs/report.schema.json is made of it, and reports that are read are held against it. */
import * as v from 'valibot';
import { packetSchema } from '../analyzer/netfilter/scenario/schema.js';

function found(input: unknown): string {
  return input === null ? 'null' : Array.isArray(input) ? 'a list' : typeof input === 'object' ? 'an object' : JSON.stringify(input).slice(0, 60);
}

function saying(what: string): (issue: v.BaseIssue<unknown>) => string {
  return issue => issue.input === undefined ? 'is missing' : `must be ${what}, and is ${found(issue.input)}`;
}

const optional = v.exactOptional;
const text = v.string(saying('text'));
const texts = v.array(text, saying('a list'));
const natural = v.pipe(v.number(saying('a number')), v.integer('must be a whole number'), v.minValue(0, 'must not be negative'));

function oneOf<const W extends readonly string[]>(...words: W): v.PicklistSchema<W, (issue: v.BaseIssue<unknown>) => string> {
  return v.picklist(words, saying(`one of ${words.join(', ')}`));
}

function described<S extends v.GenericSchema>(schema: S, what: string): v.SchemaWithPipe<readonly [S, v.DescriptionAction<v.InferOutput<S>, string>]> {
  return v.pipe(schema, v.description(what));
}

/** Keys may come to be that are not here: a reader that stops at them breaks for no reason. */
const host = v.looseObject({
  interfaces: optional(v.array(v.looseObject({ name: text, addresses: texts }, saying('an interface')), saying('a list'))),
  routes: optional(described(texts, 'The words of ip route')), ipsets: optional(described(text, 'The text of ipset save')), conntrack: optional(described(text, 'The text of conntrack -L')),
}, saying('a host'));

const place = {
  line: described(natural, 'From 1'), column: described(natural, 'From 1, in UTF-16 units'),
  endLine: natural, endColumn: described(natural, 'Exclusive'),
};

const kernelWord = oneOf('confirmed', 'contradicted', 'not-replayed');

const findingEntries = {
  check: described(text, 'The name of the check'),
  severity: oneOf('info', 'warning', 'error'),
  certainty: described(oneOf('certain', 'possible'), 'possible: it holds for some of what cannot be known from the rules'),
  message: text,
  ...place,
  rule: described(v.nullable(text), 'filter:INPUT:3: the rule it is about; null where it is about the file'),
  because: described(v.array(v.looseObject({ rule: text, line: natural, message: text }, saying('an object')), saying('a list')), 'Other rules that have a part in it; line 0 where one is not in the file'),
  witness: described(
    v.nullable(v.array(v.looseObject({ in: described(text, 'An interface, or local'), packet: packetSchema }, saying('a packet and where it comes from')), saying('a list'))),
    'Packets that show it, as in a scenario file; null where there is nothing to show',
  ),
  host: optional(described(host, 'What the host must be for these packets; absent where the simplest will do')),
  help: described(text, 'What to do about it'),
  fix: optional(v.looseObject({
    description: text, ...place, text: described(text, 'With the place: of the first of the edits'), safety: described(oneOf('safe', 'unsafe'), 'safe: no packet fares differently'),
    edits: v.array(v.looseObject({ ...place, text: described(text, 'In place of what stands there') }, saying('an object')), saying('a list')),
  }, saying('an object'))),
  owner: optional(described(text, 'The program that made the rule')),
  suppressed: optional(described(v.looseObject({ reason: text, until: optional(text) }, saying('an object')), 'Present where a note in the file says that it is meant')),
  kernel: optional(described(kernelWord, 'What the kernel says of the witness, where replay has asked it')), kernelReason: optional(text),
};

const finding = v.looseObject(findingEntries, saying('a finding'));
const findings = v.array(finding, saying('a list'));

const summary = v.looseObject({
  errors: natural, warnings: natural, infos: natural,
  undecided: optional(described(natural, 'Questions that the budget left open')),
  undecidedBy: optional(described(v.record(v.string(), natural), 'How many of them each check has asked')),
  internalErrors: optional(described(natural, 'Mistakes of the program, or of a plugin, that were caught')),
  generated: optional(described(natural, 'Findings about how generated rules are written, which are not shown')),
  incomplete: optional(described(natural, 'Files that could not be read, or not in full')),
  kernel: optional(v.looseObject({ confirmed: natural, contradicted: natural, notReplayed: natural }, saying('an object'))),
}, saying('an object'));

const failures = v.array(v.looseObject({ path: described(v.nullable(text), 'Null where it is no file'), message: text }, saying('a failure')), saying('a list'));

const shard = v.looseObject({ index: described(natural, 'From 1'), count: natural, list: described(text, 'A hash of the names of all files: parts of one whole have the same') }, saying('an object'));

const version = v.literal(1, saying('1, the version of reports that this program writes'));

export const reportSchema = v.looseObject({
  schemaVersion: version,
  files: v.array(v.looseObject({ path: text, findings, suppressed: optional(described(findings, 'With --show-suppressed')) }, saying('a file')), saying('a list')),
  failures: optional(described(failures, 'What could not be linted at all')), shard: optional(described(shard, 'The part of the work, with --shard')),
  summary,
}, saying('an object'));

/** A line of `--format ndjson`. */
export const lineSchema = v.union([
  v.looseObject({ path: text, ...findingEntries }),
  v.looseObject({ path: v.nullable(text), failure: described(text, 'Why it could not be linted') }),
  v.looseObject({ schemaVersion: version, shard: optional(shard), summary }),
]);

/** What both of them hold, by name. */
export const definitions = { finding, packet: packetSchema };

export type JsonReport = v.InferOutput<typeof reportSchema>;
export type JsonFinding = v.InferOutput<typeof finding>;
