#!/usr/bin/env node
/** Where the program starts: what is bundled as program-….cjs, loaded with the code that is kept of it. */
import { loadKept } from './kept-code.js';
import { programFile, version } from './version.js';

const words = process.argv.slice(2);

if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
  process.stdout.write(`${version}\n`);
} else {
  const { exports, keep } = loadKept(new URL(programFile, import.meta.url));
  const program = exports as typeof import('./program.js');
  program.importBy(url => import(url));
  await program.main(words);
  keep();
}
