/** The configuration of a folder: in it, or in the nearest folder above. */
import { access } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

export const configNames = ['iptables-lint.yaml', 'iptables-lint.yml', '.iptables-lint.yaml'] as const;

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** The path of the nearest configuration; undefined where there is none up to the root. */
export async function findConfig(folder: string = process.cwd()): Promise<string | undefined> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    for (const name of configNames) if (await exists(join(at, name))) return join(at, name);
    if (at === dirname(at)) return undefined;
  }
}
