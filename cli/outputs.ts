/** What `--format NAME` and `--format NAME=FILE` ask for. */
import { writeFile } from 'node:fs/promises';
import { didYouMean } from '../analyzer/model/suggest.js';
import { formatNames, loadFormat, type FormatName } from '../report/formats.js';
import type { Report, Style } from '../report/report.js';
import { wantsColor, wantsLinks, widthOf } from './color.js';
import { print } from './streams.js';
import { systemCause, Trouble } from './trouble.js';

export interface Output {
  readonly format: FormatName;
  /** Absent: standard output. */
  readonly file?: string;
}

function isFormat(name: string): name is FormatName {
  return formatNames.some(one => one === name);
}

function outputOf(word: string): Output {
  const [name = '', ...file] = word.split('=');
  if (!isFormat(name)) throw new Trouble(`--format ${word}: there is no format ${name}: ${didYouMean(name, formatNames) ?? `choose one of ${formatNames.join(', ')}`}`);
  if (file.length === 0) return { format: name };
  if (file.join('=') === '') throw new Trouble(`--format ${word}: name the file, as in --format ${name}=report.${name}`);
  return { format: name, file: file.join('=') };
}

/** Of the words as typed; standard output takes one at most. None typed: pretty. */
export function outputsOf(words: readonly string[] = ['pretty']): readonly Output[] {
  const outputs = words.map(outputOf);
  const printed = outputs.filter(one => one.file === undefined).map(one => one.format);
  if (printed.length > 1) throw new Trouble(`--format ${printed.join(' and ')} both go to standard output; write one to a file, as in --format ${printed.at(-1) ?? ''}=report.${printed.at(-1) ?? ''}`);
  return outputs;
}

async function terminalStyle(option: boolean | undefined): Promise<Style> {
  const color = wantsColor(option, process.stdout);
  return { color, width: widthOf(process.stdout), links: await wantsLinks(color, process.stdout) };
}

export async function write(report: Report, { format, file }: Output, color: boolean | undefined): Promise<void> {
  const style = file === undefined ? await terminalStyle(color) : { color: false, width: 100 };
  const text = await (await loadFormat(format))(report, style);
  if (file === undefined) return print(text);
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new Trouble(`cannot write ${file}: ${systemCause(error)}`, { cause: error });
  }
}
