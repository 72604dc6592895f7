/** Files that nobody names, and that are read where they are there. */
import { lstatSync, statSync, type Stats } from 'node:fs';
import { Trouble } from './trouble.js';

/** Undefined where there is none, or nobody may know. */
function statsOf(path: string, stat: typeof statSync): Stats | undefined {
  try {
    return stat(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/**
 * Whether there is something by this name. A link that leads nowhere is there: whoever reads it gets an error, and does not go on without.
 * @throws {Trouble} where it is a pipe or a device, which might have to be waited for
 */
export function isThere(path: string): boolean {
  const stats = statsOf(path, statSync);
  if (stats !== undefined && !stats.isFile() && !stats.isDirectory()) throw new Trouble(`cannot read ${path}: it is neither a file nor a folder`);
  return stats !== undefined || statsOf(path, lstatSync) !== undefined;
}
