#!/usr/bin/env node
/** Where the program starts: what is bundled as program-….cjs, loaded with the code that is kept of it. */
import { version } from './version.js';

const words = process.argv.slice(2);

async function run(): Promise<void> {
  const [{ loadProgram }, { expectShortRun }] = await Promise.all([import('./load-program.js'), import('./short-run.js')]);
  expectShortRun();
  const { program, keep } = loadProgram();
  keep(await program.main(words));
  // To take down the heap in good order takes longer than to leave it to the system. What cannot be written is told first.
  setImmediate(() => {
    if (program.isAllWritten()) program.leave();
  });
}

if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) void import('./streams.js').then(({ print }) => print(`${version}\n`));
else void run();
