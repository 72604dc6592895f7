/** Standard input and output. */
import { Trouble } from './trouble.js';

/** A reader that goes away (`| head`) ends the program without a word. */
export function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit();
    });
  }
}

/** Resolves when all of it is handed to the system. */
export function print(text: string): Promise<void> {
  if (text === '') return Promise.resolve();
  return new Promise((resolve, reject) => {
    process.stdout.write(text, error => {
      if (error == null) resolve();
      else if ('code' in error && error.code === 'EPIPE') resolve();
      else reject(new Trouble(`cannot write to standard output: ${error.message}`));
    });
  });
}

/** All of standard input; undefined where it has more than `limit` bytes. */
export async function readStandardInput(limit: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
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
