/** The sources that a command is to work on, one after the other. */
import { findFiles, type Finding } from './find-files.js';
import type { InputOptions } from './options.js';
import { readSource, standardInput, type ReadText } from './read-source.js';
import { timed } from './stats.js';
import { isInputPiped } from './streams.js';
import { reportTrouble, Trouble } from './trouble.js';

/** The names of the files; standard input where none is given and something is piped in. */
export async function inputFiles(operands: readonly string[], command: string, finding: Finding = {}): Promise<readonly string[]> {
  if (operands.length > 0) return findFiles(operands, finding);
  if (isInputPiped()) return [standardInput];
  throw new Trouble(`no files: name some, as in ${command} /etc/iptables/rules.v4, or pipe rules in; see iptables-lint --help`);
}

/** Reads file by file. What fails in reading or in `work` is reported, and the rest goes on. */
export async function eachSource(files: readonly string[], options: InputOptions, work: (source: ReadText, index: number) => void | Promise<void>): Promise<void> {
  for (const [index, file] of files.entries()) {
    let during = '';
    try {
      const source = await timed('read', () => readSource(file, options.stdinFilename, options.maxSize));
      during = `${source.path}: `;
      await work(source, index);
    } catch (error) {
      reportTrouble(error, error instanceof Trouble ? '' : during);
    }
  }
}
