/** Paths as programs that know only the repository want them. */
import { isAbsolute, relative } from 'node:path';

/** A path below the working folder, from there; any other as it is. */
export function relativePath(path: string): string {
  const from = isAbsolute(path) ? relative(process.cwd(), path) : path.replace(/^(?:\.\/)+/u, '');
  return from === '' || from.startsWith('..') ? path : from;
}
