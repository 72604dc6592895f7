/** A check that never ends, of a plugin: it costs the file that it was at. */
import test from 'ava';
import { clean, folderWith, run, withError, withWarning } from './run.js';

/** Wherever a chain has the name, there is no end. */
const endless = `export default { name: 'acme/endless', kind: 'hygiene', severity: 'warning', summary: 'Never ends', why: 'A mistake.', bad: '*filter\\nCOMMIT\\n', good: '*filter\\nCOMMIT\\n', nearMiss: '*filter\\nCOMMIT\\n',
  * run(cx) { while (cx.ruleset.tables.get('filter').chains.has('ENDLESS')); } };`;
const stuck = clean.replace('-A', ':ENDLESS - [0:0]\n-A');

const files = { 'hosts/a.rules': withError, 'hosts/b.rules': stuck, 'hosts/c.rules': withWarning, 'hosts/d.rules': clean, 'endless.mjs': endless };

for (const jobs of ['1', '2']) {
  test(`a file that never ends is an error of that file, with ${jobs} of threads`, async t => {
    t.timeout(600_000);
    const folder = folderWith(t, files);
    const lint = (...words: readonly string[]): ReturnType<typeof run> => run(['--plugin', 'endless.mjs', '--jobs', jobs, '--timeout', '10', '--format', 'json', ...words], { cwd: folder });
    const { code, stdout, stderr } = await lint('hosts');
    t.is(code, 2);
    t.is(stderr, 'iptables-lint: hosts/b.rules: it was not linted in 10 seconds; --timeout 40 gives it longer\n');
    const { files: told, failures, summary } = JSON.parse(stdout) as { files: readonly { path: string; findings: unknown }[]; failures: unknown; summary: { incomplete: number } };
    t.deepEqual(failures, [{ path: 'hosts/b.rules', message: 'it was not linted in 10 seconds; --timeout 40 gives it longer' }]);
    t.is(summary.incomplete, 1);
    // The others are as they are without it.
    const { stdout: others } = await lint('hosts/a.rules', 'hosts/c.rules', 'hosts/d.rules');
    t.deepEqual(told, (JSON.parse(others) as { files: unknown }).files);
  });
}

test('a time that is none is refused', async t => {
  for (const time of ['0', '-1', 'long', '1e9']) t.regex((await run(['--timeout', time], { input: clean })).stderr, /It must be a number of seconds, above 0/u, time);
});
