/** The configuration of a folder: in it, or in the nearest folder above. */
import { dirname, join, resolve } from 'node:path';
import { isThere } from '../is-there.js';

export const configNames = ['iptables-lint.yaml', 'iptables-lint.yml', '.iptables-lint.yaml'] as const;

/** The path of the nearest configuration; undefined where there is none up to the root. @throws {Trouble} where it is neither a file nor a folder */
export function findConfig(folder: string = process.cwd()): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    for (const name of configNames) if (isThere(join(at, name))) return join(at, name);
    if (at === dirname(at)) return undefined;
  }
}
