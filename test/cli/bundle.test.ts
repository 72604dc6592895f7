/** What is published is bundled: it must do as what was tested does. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { analyze } from '../../analyzer/analyze.js';
import { run } from './run.js';

test('the program says of marked packets what the library says: a letter beyond ASCII came out of the bundle as three', async t => {
  t.timeout(600_000);
  const path = 'rules-examples/multi-wan.rules';
  const { stdout } = await run(['--no-config', '--format', 'json', path]);
  const { files } = JSON.parse(stdout) as { readonly files: readonly { readonly findings: readonly { readonly check: string; readonly rule: string | null; readonly witness: readonly unknown[] | null }[] }[] };
  const told = files.flatMap(file => file.findings).map(({ check, rule, witness }) => [check, rule, witness === null]);
  const { findings } = analyze({ path, text: readFileSync(path, 'utf8') });
  t.true(told.length > 0);
  t.deepEqual(told, findings.map(({ check, rule, witness }) => [check, rule, witness === null]));
});
