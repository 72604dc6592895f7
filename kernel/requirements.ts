/** What a machine must have for its kernel to be asked. */
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemPath } from './helper-process.js';

/** Nothing is done without these; those that only some rule sets need are missed when they are called. */
const programs: Readonly<Record<string, string>> = { cc: 'a C compiler', ip: 'iproute2', nft: 'nftables' };

/** Whether a program can be run by its name. */
export function isInstalled(program: string): boolean {
  return systemPath.split(':').some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Why this machine's kernel cannot be asked; undefined where nothing is known against it. `more`: programs that are needed besides. */
export function whatIsMissing(more: readonly string[] = []): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'it needs root, for a network namespace of its own';
  const missing = [...Object.keys(programs), ...more].find(program => !isInstalled(program));
  if (missing !== undefined) return `${missing} is not installed${programs[missing] === undefined ? '' : ` (${programs[missing]})`}`;
  return existsSync('/dev/net/tun') ? undefined : 'there is no /dev/net/tun, by which packets are sent';
}
