/** JSON files of the user's, and where what is none ceases to be JSON. */
import * as v from 'valibot';
import { readYaml } from '../analyzer/model/read-yaml.js';
import { positionAt, type SourceText, type Span } from '../grammar/source-text.js';
import { problemFrames } from './tell-problems.js';
import { Trouble } from './trouble.js';

/** Characters of a text that are worth reading once more, only to say where it is wrong. */
const short = 1_000_000;

/** Where a text ceases to be JSON; undefined where nobody says. Node does for most mistakes, and YAML, of which JSON is a part, for the others. */
function placeOf(message: string, text: string): Span | undefined {
  const first = text.search(/\S/u);
  // For YAML it may be a comment.
  if (text[first] === '#') return { start: first, end: first + 1 };
  const said = /at position (\d+)/u.exec(message)?.[1];
  const start = message.startsWith('Unexpected end') ? text.trimEnd().length : said === undefined ? undefined : Number(said);
  if (start !== undefined) return { start, end: start + 1 };
  const read = text.length > short ? undefined : readYaml(v.unknown(), text);
  return read?.kind === 'wrong' ? read.problems[0]?.span : undefined;
}

/**
 * What stands in it. `what`: what the file is meant to be.
 * @throws {Trouble} where it is no JSON; `hint` says what to do
 */
export function readJson(source: SourceText, what: string, { color, hint = '' }: { readonly color?: boolean | undefined; readonly hint?: string } = {}): unknown {
  try {
    return JSON.parse(source.text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const span = placeOf(message, source.text);
    const { line, column } = positionAt(source, span?.start ?? 0);
    const place = span === undefined ? '' : ` from line ${String(line)}, column ${String(column)} on`;
    throw new Trouble(`${source.path} is no ${what}: it is not JSON${place}${hint}`, { cause: error, frame: problemFrames(source, span === undefined ? [] : [{ message, span }], color) });
  }
}
