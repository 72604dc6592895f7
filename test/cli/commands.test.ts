import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { exampleOf } from '../../analyzer/checks/define-check.js';
import { checks } from '../../analyzer/checks/index.js';
import { loadChecks } from '../../analyzer/model/load-checks.js';
import { cli, run } from './run.js';

test('--version prints the version of the package', async t => {
  const { version } = JSON.parse(readFileSync(join(dirname(cli), '../package.json'), 'utf8')) as { version: string };
  for (const word of ['--version', '-V']) t.deepEqual(await run([word]), { code: 0, stdout: `${version}\n`, stderr: '' });
});

test('--help names every command and option', async t => {
  const { code, stdout, stderr } = await run(['--help']);
  t.is(code, 0);
  t.is(stderr, '');
  for (const word of ['fmt', 'explain', 'checks', '--format', '--input', '--family', '--backend', '--check', '--fail-on', '--max-warnings', '--quiet', '--color', '--no-color', '--stdin-filename', 'Exit code']) t.true(stdout.includes(word), word);
  t.deepEqual(await run(['help']), { code, stdout, stderr });
});

test('help shows the help of a command, and says where there is none', async t => {
  for (const [words, same] of [[['help', 'fmt'], ['fmt', '--help']], [['help', 'config'], ['config', '--help']], [['config', 'help', 'print'], ['config', 'print', '--help']], [['config', 'help'], ['config', '--help']]] as const) {
    t.deepEqual(await run(words), await run(same), words.join(' '));
  }
  const none = (message: string): object => ({ code: 2, stdout: '', stderr: `iptables-lint: there is no command ${message}\n` });
  t.deepEqual(await run(['help', 'nope']), none('nope: see iptables-lint --help'));
  t.deepEqual(await run(['help', 'chekcs']), none('chekcs: did you mean `checks`?'));
  t.deepEqual(await run(['config', 'help', 'chek']), none('chek: did you mean `check`?'));
  t.deepEqual(await run(['config', 'help', 'nope']), none('nope: see iptables-lint config --help'));
});

test('config alone shows what it may be told, and has done nothing', async t => {
  const { stdout } = await run(['config', '--help']);
  t.deepEqual(await run(['config']), { code: 2, stdout: '', stderr: stdout });
});

for (const check of checks) {
  test(`explain ${check.name} says why, and shows both examples`, async t => {
    const { code, stdout } = await run(['explain', check.name]);
    t.is(code, 0);
    const oneLine = (text: string): string => text.replace(/\s+/gu, ' ').trim();
    for (const part of [check.summary, check.why, exampleOf(check.bad).rules, exampleOf(check.good).rules, exampleOf(check.nearMiss).rules]) t.true(oneLine(stdout).includes(oneLine(part)), part);
  });
}

test('explain knows what is found while a file is read', async t => {
  const { code, stdout } = await run(['explain', 'jump-loop']);
  t.is(code, 0);
  t.true(stdout.includes(loadChecks['jump-loop'].summary));
});

test('explain is coloured where asked for, before the command or behind it', async t => {
  t.true((await run(['explain', '--color', 'shadowed-rule'])).stdout.includes('\u001b['));
  t.true((await run(['--color', 'explain', 'shadowed-rule'])).stdout.includes('\u001b['));
  t.false((await run(['--no-color', 'explain', 'shadowed-rule'], { env: { FORCE_COLOR: '1' } })).stdout.includes('\u001b['));
});

test('checks lists all of them, as a table and as JSON', async t => {
  const names = [...checks.map(check => check.name), ...Object.keys(loadChecks)];
  const { stdout } = await run(['checks']);
  for (const name of names) t.true(stdout.includes(`  ${name} `), name);
  const document = JSON.parse((await run(['checks', '--format', 'json'])).stdout) as { checks: { name: string }[] };
  t.deepEqual(document.checks.map(check => check.name), names);
});

test('the program loads fast-check only when it is asked for something that needs it', t => {
  const folder = join(dirname(cli), 'chunks');
  const [program = '', ...others] = readdirSync(folder).filter(file => file.endsWith('js'));
  t.deepEqual(others, []);
  t.notRegex(readFileSync(join(folder, program), 'utf8'), /(?<!then\(\(\)=>[\w$]*\(?)require\("fast-check"\)/u);
});
