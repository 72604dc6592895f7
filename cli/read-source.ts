/** From a name on the command line to a source text. */
import { promises, readFileSync, statSync } from 'node:fs';
import { decodeBytes, type SourceText } from '../grammar/source-text.js';
import { readStandardInput } from './streams.js';
import { systemCause, Trouble } from './trouble.js';

/** How standard input is named on the command line. */
export const standardInput = '-';
/** What it is called where nobody says otherwise. */
export const unnamedInput = '<stdin>';

/** Megabytes that are read of one file unless the user says otherwise: some 400,000 rules, for which there is memory everywhere. */
export const defaultMaxSize = 32;

function tooLarge(name: string, megabytes: number): Trouble {
  return new Trouble(`${name} is larger than ${String(megabytes)} MB; --max-size ${String(megabytes * 4)} reads more, and each MB of rules may take 60 MB of memory`);
}

/** Reads a file, or standard input for `-`; `maxSize` is in megabytes. */
export async function readSource(path: string, stdinName = unnamedInput, maxSize = defaultMaxSize): Promise<SourceText> {
  const limit = maxSize * 1_000_000;
  try {
    if (path === standardInput) {
      const bytes = await readStandardInput(limit);
      if (bytes === undefined) throw tooLarge('standard input', maxSize);
      return { path: stdinName, text: decodeBytes(bytes) };
    }
    const status = statSync(path);
    if (status.size > limit) throw tooLarge(path, maxSize);
    // What is at hand is not worth a thread; a pipe may have to be waited for.
    return { path, text: decodeBytes(status.isFile() ? readFileSync(path) : await promises.readFile(path)) };
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw new Trouble(`cannot read ${path === standardInput ? 'standard input' : path}: ${systemCause(error)}`, { cause: error });
  }
}
