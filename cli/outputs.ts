/** What `--format NAME` and `--format NAME=FILE` ask for. */
import { promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { didYouMean } from '../analyzer/model/suggest.js';
import { formatNames, hasNotes, loadFormat, loadStreamed, type FormatName } from '../report/formats.js';
import { leftOutOf } from '../report/notes.js';
import type { Failure, FileReport, Report, StreamedFormat, Style, Totals } from '../report/report.js';
import { visible } from '../report/visible.js';
import { pluginChecks } from './check-names.js';
import { wantsColor, wantsLinks, widthOf } from './color.js';
import { print, stdout } from './streams.js';
import { say, systemCause, Trouble } from './trouble.js';
import { version } from './version.js';

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
  const files = outputs.flatMap(({ file }) => file === undefined ? [] : [resolve(file)]);
  const twice = outputs.find(({ file }) => file !== undefined && files.filter(one => one === resolve(file)).length > 1);
  if (twice !== undefined) throw new Trouble(`--format: two formats go to ${twice.file ?? ''}; write each to a file of its own`);
  if (printed.length > 1) throw new Trouble(`--format ${printed.join(' and ')} both go to standard output; write one to a file, as in --format ${printed.at(-1) ?? ''}=report.${printed.at(-1) ?? ''}`);
  return outputs;
}

async function terminalStyle(option: boolean | undefined): Promise<Style> {
  const color = wantsColor(option, stdout());
  return { color, width: widthOf(stdout()), links: await wantsLinks(color, stdout()) };
}

async function write(report: Report, { format, file }: Output, color: boolean | undefined): Promise<void> {
  const style = file === undefined ? await terminalStyle(color) : { color: false, width: 100 };
  const text = await (await loadFormat(format))(report, style);
  if (file === undefined) return print(text);
  try {
    await promises.writeFile(file, text);
  } catch (error) {
    throw new Trouble(`cannot write ${file}: ${systemCause(error)}`, { cause: error });
  }
}

/** Characters that are worth a call of the system. */
const enough = 200_000;

/** The same text in fewer parts: each is handed to the system by itself. */
function* gathered(parts: Iterable<string>): Generator<string, void> {
  let text = '';
  for (const part of parts) {
    text += part;
    if (text.length < enough) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

/** Where parts of a report go as they come. */
class Stream {
  readonly #file: string | undefined;
  #handle: FileHandle | undefined;
  readonly format: StreamedFormat;

  constructor(format: StreamedFormat, file: string | undefined) {
    this.format = format;
    this.#file = file;
  }

  async write(parts: Iterable<string>): Promise<void> {
    for (const text of gathered(parts)) await this.#writeOne(text);
  }

  async end(totals: Totals, isEmpty: boolean): Promise<void> {
    await this.write([this.format.end(totals, isEmpty)]);
    await this.#handle?.close();
  }

  async #writeOne(text: string): Promise<void> {
    if (this.#file === undefined) return print(text);
    try {
      this.#handle ??= await promises.open(this.#file, 'w');
      await this.#handle.appendFile(text);
    } catch (error) {
      throw new Trouble(`cannot write ${this.#file}: ${systemCause(error)}`, { cause: error });
    }
  }
}

/** Formats that a person reads are silent where there is nothing to say and nobody wants to hear it. */
const forPeople = new Set<FormatName>(['pretty', 'full', 'compact']);

/** Writes a report in all formats that are asked for: file by file in those that can be, at the end in the others. */
export class ReportWriter {
  readonly #streams: Stream[] = [];
  readonly #atEnd: Output[] = [];
  readonly #files: FileReport[] = [];
  readonly #color: boolean | undefined;
  readonly #hasNotes: boolean;
  #isEmpty = true;

  constructor(color: boolean | undefined, hasNotes: boolean) {
    this.#color = color;
    this.#hasNotes = hasNotes;
  }

  static async of(outputs: readonly Output[], color: boolean | undefined): Promise<ReportWriter> {
    const writer = new ReportWriter(color, outputs.some(({ format }) => hasNotes(format)));
    for (const output of outputs) {
      const format = await loadStreamed(output.format);
      if (format === undefined) writer.#atEnd.push(output);
      else writer.#streams.push(new Stream(format, output.file));
    }
    return writer;
  }

  async file(file: FileReport): Promise<void> {
    for (const stream of this.#streams) await stream.write(stream.format.file(file, this.#isEmpty));
    this.#isEmpty = false;
    if (this.#atEnd.length === 0) return;
    // Of a file without findings only the name is shown.
    const isBare = file.findings.length === 0 && (file.suppressed ?? []).length === 0;
    this.#files.push(isBare ? { ...file, source: { path: file.source.path, text: '' } } : file);
  }

  async failure(failure: Failure): Promise<void> {
    for (const stream of this.#streams) await stream.write([stream.format.failure(failure)]);
  }

  /** `isSilent`: formats for people have nothing to say on standard output. */
  async end(totals: Totals, isSilent: boolean): Promise<void> {
    for (const stream of this.#streams) await stream.end(totals, this.#isEmpty);
    const report: Report = { files: this.#files, ...totals, version, pluginChecks: pluginChecks(), tell: message => say(`iptables-lint: ${visible(message)}\n`) };
    if (!this.#hasNotes) for (const words of leftOutOf(report)) report.tell?.(words);
    for (const output of this.#atEnd) if (!isSilent || output.file !== undefined || !forPeople.has(output.format)) await write(report, output, this.#color);
  }
}
