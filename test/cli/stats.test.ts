/** `--stats` and `--debug`: what they say on stderr, and that nothing else changes. */
import test from 'ava';
import { folderWith, run, unreadable, withError } from './run.js';

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
