/** The configuration of a folder: in it, or in the nearest folder above. */
import { lstatSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const configNames = ['iptables-lint.yaml', 'iptables-lint.yml', '.iptables-lint.yaml'] as const;

/** A link that leads nowhere is there: to read it is an error, and no reason to go on without. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** The path of the nearest configuration; undefined where there is none up to the root. */
export function findConfig(folder: string = process.cwd()): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    for (const name of configNames) if (isThere(join(at, name))) return join(at, name);
    if (at === dirname(at)) return undefined;
  }
}
