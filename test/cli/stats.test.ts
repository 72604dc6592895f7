/** `--stats` and `--debug`: what they say on stderr, and that nothing else changes. */
import test from 'ava';
import { clean, folderWith, run, unreadable, withError, withWarning } from './run.js';

const json = ['--format', 'json'];

test('--stats tells every phase, the slowest checks first, and how much there was; the report stays the same', async t => {
  const cwd = folderWith(t, { 'a.v4': withError, 'b.v4': withError });
  const plain = await run([...json, 'a.v4', 'b.v4'], { cwd });
  const { code, stdout, stderr } = await run(['--stats', ...json, 'a.v4', 'b.v4'], { cwd });
  t.is(stdout, plain.stdout);
  t.is(code, plain.code);
  const lines = stderr.trimEnd().split('\n').map(line => line.replace(/^iptables-lint: /u, ''));
  const times = (words: RegExp): readonly number[] => lines.filter(line => words.test(line)).map(line => Number(/^ *([\d.]+) ms {2}/u.exec(line)?.[1]));
  const [all = 0] = times(/ms {2}in all/u);
  const parts = times(/ms {2}(?:reading|loading|checks$|replaying|writing|starting)/u);
  t.is(parts.length, 6);
  t.true(parts.every(time => time >= 0));
  t.true(Math.abs(parts.reduce((sum, time) => sum + time, 0) - all) < 1 || (parts.at(-1) ?? 1) === 0, stderr);
  const checks = times(/ms {2}[a-z]+-[a-z-]+$/u);
  t.deepEqual(checks, checks.toSorted((a, b) => b - a));
  t.is(lines.at(-1), '2 files, 10 rules, 2 findings, 0 questions undecided');
  t.is(plain.stderr, '');
});

test('with threads it is the sum over them, and the report and the amounts stay the same', async t => {
  const padding = `#${' '.repeat(78)}\n`.repeat(500);
  const cwd = folderWith(t, { 'a.v4': padding + withError, 'b.v4': padding + withError, 'c.v4': padding + withWarning, 'd.v4': padding + clean });
  const files = ['a.v4', 'b.v4', 'c.v4', 'd.v4'];
  const plain = await run([...json, '--jobs', '1', ...files], { cwd });
  const { code, stdout, stderr } = await run(['--stats', '--debug', '--jobs', '2', ...json, ...files], { cwd });
  t.deepEqual([stdout, code], [plain.stdout, plain.code]);
  t.regex(stderr, /ms {2}in all; what [12] threads? did at once is added up:$/mu);
  t.regex(stderr, /^iptables-lint: 4 files, 20 rules, 3 findings, 0 questions undecided$/mu);
  const [, load = '0'] = /([\d.]+) ms {2}loading the rules$/mu.exec(stderr) ?? [];
  t.true(Number(load) > 0);
  t.deepEqual([...stderr.matchAll(/^debug: (\w\.v4): save; ipv4, nft, 5 rules; (\d)/gmu)].map(([, path, count]) => [path, count]), [['a.v4', '1'], ['b.v4', '1'], ['c.v4', '1'], ['d.v4', '0']]);
});

test('one file needs no thread, unless there is much more in it than a thousand rules', async t => {
  const padding = `#${' '.repeat(78)}\n`;
  const cwd = folderWith(t, { 'a.v4': padding.repeat(1150) + withError, 'b.v4': padding.repeat(1300) + withError });
  const [few, many] = [await run(['--stats', ...json, 'a.v4'], { cwd }), await run(['--stats', ...json, 'b.v4'], { cwd })];
  t.regex(few.stderr, /ms {2}in all, of which$/mu);
  t.regex(many.stderr, /ms {2}in all; what 1 thread did at once is added up:$/mu);
});

test('--debug tells the configuration, what is left alone, how each file was read, and where it failed', async t => {
  const cwd = folderWith(t, { 'rules/a.v4': withError, 'rules/b.v4': unreadable, 'rules/old.v4': withError, 'iptables-lint.yaml': 'ignore: rules/old.v4\nextends: base.yaml\n', 'base.yaml': 'fail-on: error\n' });
  const { code, stderr } = await run(['--debug', '--format', 'compact', 'rules', 'none.v4'], { cwd });
  t.is(code, 2);
  t.regex(stderr, /^debug: iptables-lint \S+, Node v\d+/u);
  t.regex(stderr, /^debug: configuration: .*\/iptables-lint\.yaml$/mu);
  t.regex(stderr, /^debug: it builds on .*\/base\.yaml$/mu);
  t.regex(stderr, /^debug: .*rules\/old\.v4: left alone, as the configuration says$/mu);
  t.regex(stderr, /^debug: rules\/a\.v4: save; ipv4, nft, 5 rules; 1 finding, 0 questions undecided$/mu);
  t.regex(stderr, /^ {4}at .*\d+:\d+/mu);
  t.regex((await run(['--debug', 'trace', 'none.v4', '--packet', 'x'], { cwd })).stderr, /^debug: iptables-lint /u);
});

test('without them nothing is told', async t => {
  const { stderr } = await run(['a.v4'], { cwd: folderWith(t, { 'a.v4': withError }) });
  t.is(stderr, '');
});

test('--debug is taken before a command and behind it', async t => {
  const cwd = folderWith(t, { 'a.rules': clean, 'iptables-lint.yaml': '' });
  const runs = ['--debug fmt a.rules', 'fmt --debug a.rules', 'replay none.json --debug', 'config --debug check', 'config check --debug', 'checks --debug', 'explain --debug shadowed-rule', 'merge --debug none.json', 'collect --dry-run --debug', 'init --debug', 'trace --debug a.rules', 'fuzz --debug a.rules --runs 0', 'complete bash --debug', '--debug complete fish'];
  for (const words of runs) t.regex((await run(words.split(' '), { cwd })).stderr, /^debug: iptables-lint /u, words);
  t.notRegex((await run(['fmt', 'a.rules'], { cwd })).stderr, /debug/u);
});
