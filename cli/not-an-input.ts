/** What is written must not take the place of what is read. */
import { statSync, type BigIntStats } from 'node:fs';
import { Trouble } from './trouble.js';

function fileAt(path: string): BigIntStats | undefined {
  try {
    const stats = statSync(path, { bigint: true });
    return stats.isFile() ? stats : undefined;
  } catch {
    return undefined;
  }
}

/** `option`: as typed, file and all. @throws {Trouble} where `output` is one of the `inputs`, by whatever name */
export function notAnInput(option: string, output: string, inputs: readonly string[]): void {
  const written = fileAt(output);
  if (written === undefined) return;
  const input = inputs.find(path => {
    const read = fileAt(path);
    return read?.ino === written.ino && read.dev === written.dev;
  });
  if (input !== undefined) throw new Trouble(`${option} would overwrite ${input}, which is read; name another file`);
}
