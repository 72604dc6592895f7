/** Loads a file of the user's. Where the program's own code is kept, `import()` in it is not to be had, and whoever loaded it hands in theirs. */
export type ImportModule = (url: string) => Promise<unknown>;

let byWhom: ImportModule = url => import(url);

export function importBy(given: ImportModule): void {
  byWhom = given;
}

export function importModule(url: string): Promise<unknown> {
  return byWhom(url);
}
