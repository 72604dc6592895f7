/** What is found in folders, and what of them cannot be looked at: that is never passed in silence. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { clean, cli, folderWith, run, withError, withWarning } from './run.js';

interface Report {
  readonly files: readonly { readonly path: string }[];
  readonly failures?: readonly { readonly path: string | null; readonly message: string }[];
  readonly summary: { readonly incomplete?: number };
}

function pathsIn(stdout: string): readonly string[] {
  return (JSON.parse(stdout) as Report).files.map(({ path }) => path);
}

test('a link that leads nowhere is an error, in the report as well, and the others are linted', async t => {
  const folder = folderWith(t, { 'hosts/a.rules': clean, 'hosts/deep/b.rules': clean });
  symlinkSync('gone.rules', join(folder, 'hosts/web.rules'));
  symlinkSync('../gone', join(folder, 'hosts/deep/current'));
  symlinkSync('gone', join(folder, 'hosts/.hidden'));
  for (const jobs of ['1', '2']) {
    const { code, stdout, stderr } = await run(['--jobs', jobs, '--format', 'json', 'hosts'], { cwd: folder });
    t.is(code, 2);
    t.is(stderr, 'iptables-lint: cannot read hosts/deep/current: the link leads nowhere\niptables-lint: cannot read hosts/web.rules: the link leads nowhere\n');
    t.deepEqual(pathsIn(stdout), ['hosts/a.rules', 'hosts/deep/b.rules']);
    const { failures = [], summary } = JSON.parse(stdout) as Report;
    t.deepEqual(failures.map(({ path }) => path), ['hosts/deep/current', 'hosts/web.rules']);
    t.is(summary.incomplete, 2);
  }
});

test('a file that is named and is not there has its path in reports, also where it would be left alone in a folder', async t => {
  const folder = folderWith(t, { 'a.rules': clean, 'empty/readme.md': '', 'iptables-lint.yaml': 'ignore: "old/**"\n' });
  const report = async (format: string): Promise<string> => (await run(['--format', format, 'a.rules', 'old/none.rules', 'a.rules/b', 'empty'], { cwd: folder })).stdout;
  t.deepEqual((JSON.parse(await report('json')) as Report).failures?.map(({ path }) => path), ['old/none.rules', 'a.rules/b', null]);
  t.regex(await report('ndjson'), /\{"path":"old\/none\.rules","failure":"cannot read old\/none\.rules: no such file or directory"\}/u);
  t.regex(await report('junit'), /<testsuite name="old\/none\.rules"/u);
  t.regex(await report('checkstyle'), /<file name="old\/none\.rules"/u);
});

test('shards tell once what cannot be looked at', async t => {
  const folder = folderWith(t, { 'hosts/a.rules': clean, 'hosts/b.rules': withError });
  symlinkSync('gone.rules', join(folder, 'hosts/web.rules'));
  const whole = await run(['--format', 'json', 'hosts'], { cwd: folder });
  for (const part of ['1', '2']) t.is((await run(['--shard', `${part}/2`, '--format', `json=${part}.json`, 'hosts'], { cwd: folder })).code, 2);
  const merged = await run(['merge', '1.json', '2.json'], { cwd: folder });
  t.deepEqual([merged.stdout, merged.code], [whole.stdout, 2]);
});

test('a glob tells of what it would match, and of nothing else', async t => {
  const folder = folderWith(t, { 'hosts/web1/a.rules': clean, 'hosts/db/a.rules': clean });
  for (const link of ['hosts/web1/gone.rules', 'hosts/web1/gone.txt', 'hosts/web2', 'hosts/other', 'hosts/db/gone.rules']) symlinkSync('gone', join(folder, link));
  const { code, stderr } = await run(['hosts/web*/*.rules'], { cwd: folder });
  t.is(code, 2);
  t.deepEqual(stderr.trimEnd().split('\n'), ['hosts/web1/gone.rules', 'hosts/web2'].map(path => `iptables-lint: cannot read ${path}: the link leads nowhere`));
  t.is((await run(['hosts/db/[a-f]*.rules'], { cwd: folder })).code, 0);
});

test('what the configuration leaves out may lead nowhere', async t => {
  const folder = folderWith(t, { 'hosts/a.rules': clean, 'iptables-lint.yaml': 'ignore: [hosts/old/**, "**/gone.rules"]\n' });
  symlinkSync('nowhere', join(folder, 'hosts/old'));
  symlinkSync('nowhere', join(folder, 'hosts/gone.rules'));
  t.deepEqual(await run(['hosts'], { cwd: folder }), { code: 0, stdout: 'no problems in 1 file\n', stderr: '' });
});

test('links in circles end, and a folder that several links lead to is linted once', async t => {
  const folder = folderWith(t, { 'hosts/a/x.rules': clean, 'hosts/b/y.rules': clean, 'elsewhere/z.rules': clean });
  for (const [target, link] of [['..', 'a/up'], ['../b', 'a/b'], ['../a', 'b/a'], ['.', 'b/self'], ['../../elsewhere', 'a/out'], ['../../elsewhere', 'b/out'], ['loop.rules', 'loop.rules']] as const) symlinkSync(target, join(folder, 'hosts', link));
  // Names of one file are several files, of which each may be configured by itself.
  symlinkSync('x.rules', join(folder, 'hosts/a/same.rules'));
  const { code, stdout, stderr } = await run(['--format', 'json', 'hosts'], { cwd: folder });
  t.deepEqual(pathsIn(stdout), ['hosts/a/out/z.rules', 'hosts/a/same.rules', 'hosts/a/x.rules', 'hosts/b/y.rules']);
  t.is(stderr, 'iptables-lint: cannot read hosts/loop.rules: too many symbolic links\n');
  t.is(code, 2);
});

test('a pipe among rule files is no rule file, and is not waited for', async t => {
  const folder = folderWith(t, { 'hosts/a.rules': withWarning });
  if (spawnSync('sh', ['-c', 'mkfifo hosts/pipe.rules'], { cwd: folder }).status !== 0) {
    t.pass('there are no pipes here');
    return;
  }
  symlinkSync('pipe.rules', join(folder, 'hosts/to-pipe.rules'));
  const { code, stderr } = await run(['hosts'], { cwd: folder });
  t.is(code, 2);
  t.deepEqual(stderr.trimEnd().split('\n'), ['pipe', 'to-pipe'].map(name => `iptables-lint: cannot read hosts/${name}.rules: it is neither a file nor a folder`));
});

test('neither a host nor a configuration that is found is a pipe to wait for, or a link to nowhere to pass over', async t => {
  for (const name of ['host.json', 'iptables-lint.yaml']) {
    const folder = folderWith(t, { 'a.rules': withWarning });
    symlinkSync('gone', join(folder, name));
    const dead = await run(['a.rules'], { cwd: folder });
    t.is(dead.code, 2);
    t.regex(dead.stderr, new RegExp(`^iptables-lint: cannot read .*${name}: no such file`, 'u'));
    rmSync(join(folder, name));
    if (spawnSync('sh', ['-c', 'mkfifo "$0"', name], { cwd: folder }).status !== 0) continue;
    const { code, stderr } = await run(['a.rules'], { cwd: folder });
    t.is(code, 2);
    t.regex(stderr, new RegExp(`^iptables-lint: cannot read .*${name}: it is neither a file nor a folder`, 'u'));
  }
});

test('a folder that must not be read is an error', t => {
  const folder = folderWith(t, { 'hosts/a.rules': clean, 'hosts/secret/b.rules': withError });
  chmodSync(join(folder, 'hosts/secret'), 0);
  t.teardown(() => { chmodSync(join(folder, 'hosts/secret'), 0o700); });
  // Root is asked no questions, unless it lays its privileges down.
  const words = [process.execPath, cli, '--format', 'compact', 'hosts'];
  const [program = '', ...rest] = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', ...words] : words;
  const { status, stdout, stderr } = spawnSync(program, rest, { cwd: folder, encoding: 'utf8' });
  t.is(stderr, 'iptables-lint: cannot read hosts/secret: permission denied; run as a user who may\n');
  t.is(stdout, '1 file not linted in full: more may be wrong\n');
  t.is(status, 2);
});

test('a folder with nothing but trouble has no second error that it has no rules', async t => {
  const folder = folderWith(t, { 'hosts/readme.md': '' });
  mkdirSync(join(folder, 'hosts/empty'));
  symlinkSync('gone', join(folder, 'hosts/a.rules'));
  const { code, stdout, stderr } = await run(['hosts'], { cwd: folder });
  t.deepEqual([code, stdout, stderr], [2, '', 'iptables-lint: cannot read hosts/a.rules: the link leads nowhere\n']);
});
