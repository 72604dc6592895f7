/** From a name on the command line to a source text. */
import { readFile } from 'node:fs/promises';
import { decodeBytes, type SourceText } from '../grammar/source-text.js';
import { readStandardInput } from './streams.js';
import { systemCause, Trouble } from './trouble.js';

/** How standard input is named on the command line. */
export const standardInput = '-';

export async function readSource(path: string, stdinName = '<stdin>'): Promise<SourceText> {
  try {
    if (path === standardInput) return { path: stdinName, text: decodeBytes(await readStandardInput()) };
    return { path, text: decodeBytes(await readFile(path)) };
  } catch (error) {
    throw new Trouble(`cannot read ${path === standardInput ? 'standard input' : path}: ${systemCause(error)}`, { cause: error });
  }
}
