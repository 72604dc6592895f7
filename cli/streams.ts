/** Standard input and output. */
import { reportTrouble, systemCause, Trouble } from './trouble.js';

/** A reader that goes away (`| head`) ends the program without a word; what else cannot be written, with one. */
export function endWithoutOutput(): void {
  for (const [stream, name] of [[process.stdout, 'standard output'], [process.stderr, undefined]] as const) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit();
      if (name !== undefined) reportTrouble(new Trouble(`cannot write to ${name}: ${systemCause(error)}`));
      process.exit(2);
    });
  }
}

/** Resolves when all of it is handed to the system; where that fails, the program ends. */
export function print(text: string): Promise<void> {
  if (text === '') return Promise.resolve();
  return new Promise(resolve => {
    process.stdout.write(text, error => {
      if (error == null) resolve();
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
