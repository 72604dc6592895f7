import test from 'ava';
import { folderWith, run, table } from './run.js';

const rules = table(':f2b-sshd - [0:0]', '-A INPUT -p tcp -m tcp --dport 22 -j f2b-sshd', '-A f2b-sshd -s 192.0.2.1/32 -j DROP', '-A f2b-sshd -s 192.0.2.1/32 -j DROP');
const files = { 'jail.rules': rules };

test('how generated rules are written is counted and does not fail the run', async t => {
  const cwd = folderWith(t, files);
  const pretty = await run(['jail.rules'], { cwd });
  t.is(pretty.code, 0);
  t.false(pretty.stdout.includes('duplicate-rule'));
  t.regex(pretty.stdout, /1 finding in generated chains not shown; --show-generated shows it\n$/u);
  t.deepEqual((JSON.parse((await run(['--format', 'json', 'jail.rules'], { cwd })).stdout) as { summary: object }).summary, { errors: 0, warnings: 0, infos: 0, generated: 1 });
});

test('--show-generated shows it with its owner, and then it counts', async t => {
  const cwd = folderWith(t, files);
  for (const format of ['pretty', 'full', 'json']) {
    const { code, stdout } = await run(['--show-generated', '--format', format, 'jail.rules'], { cwd });
    t.is(code, 1, format);
    t.true(stdout.includes('duplicate-rule') && stdout.includes('fail2ban') && !stdout.includes('not shown'), stdout);
  }
});

test('--quiet does not speak of it', async t => {
  t.deepEqual(await run(['--quiet', 'jail.rules'], { cwd: folderWith(t, files) }), { code: 0, stdout: '', stderr: '' });
});

test('formats that have no place for it say so on standard error, unless another format tells', async t => {
  const cwd = folderWith(t, files);
  const words = 'iptables-lint: 1 finding in generated chains not shown; --show-generated shows it\n';
  for (const format of ['sarif', 'gitlab', 'junit', 'checkstyle', 'rdjson', 'tap']) t.is((await run(['--format', format, 'jail.rules'], { cwd })).stderr, words, format);
  for (const format of ['json', 'ndjson', 'compact', 'github', 'markdown']) t.is((await run(['--format', format, 'jail.rules'], { cwd })).stderr, '', format);
  t.is((await run(['--format', 'sarif=out.sarif', '--format', 'pretty', 'jail.rules'], { cwd })).stderr, '');
});
