/** From a name on the command line to a source text. */
import { isUtf8 } from 'node:buffer';
import { createReadStream, fstatSync, readFileSync, statSync } from 'node:fs';
import { decodeBytes, type SourceText } from '../grammar/source-text.js';
import { readStream } from './streams.js';
import { systemCause, Trouble } from './trouble.js';

/** What was read, and what its bytes are in. */
export interface ReadText extends SourceText {
  readonly encoding: 'utf8' | 'latin1';
}

/** How standard input is named on the command line. */
export const standardInput = '-';
/** What it is called where nobody says otherwise. */
export const unnamedInput = '<stdin>';

/** Megabytes that are read of one file unless the user says otherwise: some 400,000 rules, for which there is memory everywhere. */
export const defaultMaxSize = 32;

function tooLarge(name: string, megabytes: number): Trouble {
  return new Trouble(`${name} is larger than ${String(megabytes)} MB; --max-size ${String(megabytes * 4)} reads more, and each MB of rules may take 60 MB of memory`);
}

/** Undefined where there are more than `limit`. */
async function readBytes(path: string, limit: number): Promise<Uint8Array | undefined> {
  // Where a folder is opened for it, Node reads nothing and says nothing.
  if (path === standardInput) return fstatSync(0).isDirectory() ? readFileSync(0) : readStream(process.stdin, limit);
  const status = statSync(path);
  if (status.size > limit) return undefined;
  // What is at hand is not worth a thread; a pipe may have to be waited for, and may never end.
  return status.isFile() ? readFileSync(path) : readStream(createReadStream(path) as AsyncIterable<Buffer>, limit);
}

/** Reads a file, or standard input for `-`; `maxSize` is in megabytes. */
export async function readSource(path: string, stdinName = unnamedInput, maxSize = defaultMaxSize): Promise<ReadText> {
  const name = path === standardInput ? 'standard input' : path;
  try {
    const bytes = await readBytes(path, maxSize * 1_000_000);
    if (bytes === undefined) throw tooLarge(name, maxSize);
    return { path: path === standardInput ? stdinName : path, text: decodeBytes(bytes), encoding: isUtf8(bytes) ? 'utf8' : 'latin1' };
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw new Trouble(`cannot read ${name}: ${systemCause(error)}`, { cause: error });
  }
}
