#!/usr/bin/env node
/** Where the program starts. It loads nothing that the command at hand does not need. */
import * as nodeModule from 'node:module';
import { version } from './version.js';

const [first, ...rest] = process.argv.slice(2);

/** Node 22 keeps compiled code from run to run; Node 20 does not know how. */
function keepCompiledCode(): void {
  const { enableCompileCache } = nodeModule as { enableCompileCache?: () => unknown };
  enableCompileCache?.();
}

if (rest.length === 0 && (first === '--version' || first === '-V')) {
  process.stdout.write(`${version}\n`);
} else {
  keepCompiledCode();
  const { main } = await import('./main.js');
  await main(process.argv.slice(2));
}
