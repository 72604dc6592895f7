/** JSON files of the user's, and where what is none ceases to be JSON. */
import * as v from 'valibot';
import { readYaml } from '../analyzer/model/read-yaml.js';
import { positionAt, type SourceText } from '../grammar/source-text.js';
import { countOf } from '../report/report.js';
import { problemFrames } from './tell-problems.js';
import { Trouble } from './trouble.js';

interface Telling {
  readonly color?: boolean | undefined;
  /** What to do. */
  readonly hint?: string;
}

/** How far Node reads: the whole of what only lacks its end. Undefined where it does not say. */
function readable(text: string): number | undefined {
  try {
    JSON.parse(text);
    return text.length;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const said = /at position (\d+)/u.exec(message)?.[1];
    return message.startsWith('Unexpected end') ? text.length : said === undefined ? undefined : Number(said);
  }
}

/** Where a text ceases to be JSON. Node does not say it of all mistakes, but of every beginning of the text whether only its end is missing. */
function endOfJson(text: string): number {
  let [good, bad] = [0, text.length];
  const said = readable(text);
  if (said !== undefined) return Math.min(said, text.trimEnd().length);
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (readable(text.slice(0, middle)) === middle) good = middle;
    else bad = middle;
  }
  return good;
}

/**
 * What stands in it. `what`: what the file is meant to be.
 * @throws {Trouble} where it is no JSON
 */
export function readJson(source: SourceText, what: string, { color, hint = '' }: Telling = {}): unknown {
  try {
    return JSON.parse(source.text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const start = endOfJson(source.text);
    const { line, column } = positionAt(source, start);
    throw new Trouble(`${source.path} is no ${what}: it is not JSON from line ${String(line)}, column ${String(column)} on${hint}`, { cause: error, frame: problemFrames(source, [{ message, span: { start, end: start + 1 } }], color) });
  }
}

/**
 * The same, as the schema has it.
 * @throws {Trouble} where it is no JSON, or not as the schema has it
 */
export function readJsonAs<S extends v.GenericSchema>(schema: S, source: SourceText, what: string, { color, hint = '' }: Telling = {}): v.InferOutput<S> {
  const { success, output } = v.safeParse(schema, readJson(source, what, { color, hint }));
  if (success) return output;
  // JSON is YAML, of which the places are known.
  const read = readYaml(schema, source.text);
  const [first, ...others] = read.kind === 'wrong' ? read.problems : [];
  const { line, column } = positionAt(source, first?.span.start ?? 0);
  const more = others.length === 0 ? '' : `, and ${countOf(others.length, 'more problem')}`;
  throw new Trouble(`${source.path} is no ${what}: line ${String(line)}, column ${String(column)}: ${first?.message ?? ''}${more}${hint}`, { frame: problemFrames(source, read.kind === 'wrong' ? read.problems : [], color) });
}
