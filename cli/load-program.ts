/** The program, from the file that cli.ts and thread.ts have beside them. */
import { join } from 'node:path';
import { loadKept } from './kept-code.js';
import { programFile } from './version.js';

export function loadProgram(): { readonly program: typeof import('./program.js'); readonly keep: (command: string) => void } {
  const { exports, keep } = loadKept(join(import.meta.dirname, programFile));
  const program = exports as typeof import('./program.js');
  program.importBy(url => import(url));
  return { program, keep };
}
