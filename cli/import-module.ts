/** Loads a file of the user's. Where the program's own code is kept, `import()` in it is not to be had, and whoever loaded it hands in theirs. */
import { forbidToLeave } from './leave.js';

export type ImportModule = (url: string) => Promise<unknown>;

let byWhom: ImportModule = url => import(url);

export function importBy(given: ImportModule): void {
  byWhom = given;
}

let hasImported = false;

/** Whether code of the user's runs, which may do anything. */
export function isForeignCodeLoaded(): boolean {
  return hasImported;
}

export function importModule(url: string): Promise<unknown> {
  if (!hasImported) forbidToLeave();
  hasImported = true;
  return byWhom(url);
}
