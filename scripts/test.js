/**
 * `npm test`: builds, then everything that can find a mistake, and ends with one line
 * `N passed, N failed, N skipped`. Words behind `npm test --` go to AVA: `npm test -- build/test/cli/*.test.js`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { root } from './bundle.js';

const steps = ['build', 'lint', 'layers', 'knip'];

const counts = { passed: 0, failed: 0, skipped: 0 };

/** What failed, with its details: told once more at the end, where it is found. */
const failures = [];

function run(name) {
  console.log(`\n── ${name}`);
  const { status } = spawnSync('npm', ['run', '--silent', name], { cwd: root, stdio: 'inherit' });
  if (status === 0) return true;
  console.log(`${name} failed`);
  failures.push(`${name} failed`);
  counts.failed++;
  return false;
}

let isInFailure = false;

/** One line of AVA's TAP. Details of what failed are indented, and are shown as they are. */
function readTap(line) {
  const result = /^(not )?ok \d+(?: - )?(.*?)( # (?:SKIP|TODO).*)?$/u.exec(line);
  if (result === null) {
    if (isInFailure && line.startsWith(' ')) failures.push(line);
    return /^(?:TAP version|\d+\.\.\d+|# (?:tests|pass|fail|skip|todo) \d+)/u.test(line) ? undefined : line;
  }
  const [, failed, title, skipped] = result;
  if (skipped !== undefined) counts.skipped++;
  else if (failed === undefined) counts.passed++;
  else counts.failed++;
  isInFailure = failed !== undefined && skipped === undefined;
  if (isInFailure) failures.push(`✖ ${title}`);
  return `${skipped !== undefined ? '- skipped' : failed === undefined ? '✔' : '✖'} ${title}`;
}

/** AVA under c8, its TAP turned into lines for people. */
function runTests(words) {
  console.log('\n── ava');
  const ava = [fileURLToPath(import.meta.resolve('c8/bin/c8.js')), process.execPath, 'node_modules/ava/entrypoints/cli.mjs', '--tap', ...words];
  const child = spawn(process.execPath, ava, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', line => {
    const shown = readTap(line);
    if (shown !== undefined) console.log(shown);
  });
  return new Promise(resolve => { child.on('close', resolve); });
}

const [built] = steps.map(run);
if (built) {
  const status = await runTests(process.argv.slice(2));
  if (status !== 0 && counts.failed === 0) {
    failures.push(`AVA ended with ${String(status)}, though no test failed`);
    counts.failed++;
  }
}
if (failures.length > 0) console.log(`\n── what failed\n${failures.join('\n')}`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
