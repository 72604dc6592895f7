/** Standard input and output. Node's own streams take as long to load as the grammar: to a file or a pipe all is written without. */
import { fstatSync, statSync, writeSync } from 'node:fs';
import { visible } from '../report/visible.js';
import { isForeignCodeLoaded } from './import-module.js';
import { leave } from './leave.js';
import { hasSaid, reportTrouble, systemCause, Trouble } from './trouble.js';

/** What a person may look at; nothing is known of a file or a pipe. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
}

/** Whether it may be a terminal: a device, and not the one that is nothing. */
function isDevice(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    return stats.isCharacterDevice() && stats.rdev !== statSync('/dev/null').rdev;
  } catch {
    return false;
  }
}

export function stdout(): Screen {
  return isDevice(1) ? process.stdout : {};
}

export function stderr(): Screen {
  return isDevice(2) ? process.stderr : {};
}

/** A reader that goes away (`| head`) ends the program without a word; what else cannot be written, with one. What is not written is not done. */
function endWithoutOutput(error: unknown): never {
  if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) reportTrouble(new Trouble(`cannot write to standard output: ${systemCause(error)}`));
  leave(2);
}

/** Whether Node's stream is used: what comes later may not overtake what waits there. */
let isStreaming = false;

/** For those that write to Node's stream themselves. */
export function startStreaming(): void {
  if (!isStreaming) process.stdout.on('error', endWithoutOutput);
  isStreaming = true;
}

/** What is left of it when the system takes no more for now; undefined where that was all. */
function writtenAtOnce(bytes: Buffer): Buffer | undefined {
  for (let rest = bytes; ; ) {
    if (rest.length === 0) return undefined;
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return rest;
      endWithoutOutput(error);
    }
  }
}

/** Resolves when all of it is handed to the system; where that fails, the program ends. */
export async function print(text: string | Uint8Array): Promise<void> {
  const bytes = Buffer.from(text);
  const rest = isStreaming || isDevice(1) ? bytes : writtenAtOnce(bytes);
  if (rest === undefined || rest.length === 0) return;
  startStreaming();
  await new Promise<void>(resolve => {
    process.stdout.write(rest, error => {
      if (error == null) resolve();
    });
  });
}

/** What holds text of rule files. To a terminal nothing goes that speaks to it; into a file or a pipe every byte, as the file has it. */
export async function printRules(text: string, encoding: 'utf8' | 'latin1'): Promise<void> {
  await print(stdout().isTTY === true ? text.split('\n').map(line => visible(line)).join('\n') : Buffer.from(text, encoding));
}

/** Whether nothing waits to be written, to either. */
export function isAllWritten(): boolean {
  return !(isStreaming || hasSaid() || isForeignCodeLoaded()) || process.stdout.writableLength + process.stderr.writableLength === 0;
}

/** All of a stream, `process.stdin` or that of a file; undefined where it has more than `limit` bytes, as where it never ends. */
export async function readStream(stream: AsyncIterable<Buffer>, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Whether somebody pipes something in. */
export function isInputPiped(): boolean {
  return !process.stdin.isTTY;
}
