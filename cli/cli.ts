#!/usr/bin/env node
/** Where the program starts. It loads nothing that the command at hand does not need. */
import * as nodeModule from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { version } from './version.js';

const [first, ...rest] = process.argv.slice(2);

/** Node 22 keeps compiled code from run to run; Node 20 does not know how. Not in the folder for temporary files, Node's usual place: there, others may have put theirs first. */
function keepCompiledCode(): void {
  const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => unknown };
  enableCompileCache?.(join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'iptables-lint'));
}

if (rest.length === 0 && (first === '--version' || first === '-V')) {
  process.stdout.write(`${version}\n`);
} else {
  keepCompiledCode();
  const { main } = await import('./main.js');
  await main(process.argv.slice(2));
}
