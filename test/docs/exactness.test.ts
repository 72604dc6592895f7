/** What docs/exactness.md says is run. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import * as library from '../../index.js';

const page = readFileSync(new URL('../../../docs/exactness.md', import.meta.url), 'utf8');

/** Its examples, one behind the other. */
const program = [...page.matchAll(/^```js\n([^]*?)^```$/gmu)].map(match => match[1] ?? '').join('');

test('the examples say what they are shown to say', t => {
  const said = [...program.matchAll(/(?:^|; )\/\/ (.*)$/gmu)].map(match => match[1] ?? '');
  t.true(said.length >= 20);
  const compiled = program.replaceAll(`'iptables-lint'`, JSON.stringify(new URL('../../index.js', import.meta.url).href));
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', compiled], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined } });
  t.is(stderr, '');
  t.deepEqual(stdout.trimEnd().split('\n'), said);
});

test('every function of its table is one of the library', t => {
  const [table = ''] = /^\| question [^]*?\n\n/mu.exec(page) ?? [];
  const named = [...table.matchAll(/`(\w+)`/gu)].map(match => match[1] ?? '');
  t.true(named.length >= 15);
  for (const name of named) t.is(typeof (library as Readonly<Record<string, unknown>>)[name], 'function', name);
});

test('every file that it names is there', t => {
  for (const [, path = ''] of page.matchAll(/`((?:analyzer|test)\/[\w/.-]+)`/gu)) t.true(existsSync(new URL(`../../../${path}`, import.meta.url)), path);
});
