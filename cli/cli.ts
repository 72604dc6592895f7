#!/usr/bin/env node
/** Where the program starts: what is bundled as program-….cjs, loaded with the code that is kept of it. As a thread it lints what it is sent. */
import { isMainThread } from 'node:worker_threads';
import { loadKept } from './kept-code.js';
import { programFile, version } from './version.js';

const words = process.argv.slice(2);

if (isMainThread && words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
  process.stdout.write(`${version}\n`);
} else {
  const { exports, keep } = loadKept(new URL(programFile, import.meta.url));
  const program = exports as typeof import('./program.js');
  program.importBy(url => import(url));
  if (isMainThread) {
    await program.main(words);
    keep();
  } else {
    await program.serve();
  }
}
