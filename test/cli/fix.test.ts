/** `--fix` and its kin, as processes of their own. */
import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { cli, folderWith, run } from './run.js';

const server = (...lines: readonly string[]): string => ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', '-A INPUT -i lo -j ACCEPT', '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', ...lines, 'COMMIT', ''].join('\n');
const ssh = '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT';
const loose = '-A INPUT -s 192.0.2.17/24 -p tcp -m tcp --dport 993 -m conntrack --ctstate NEW -j ACCEPT';

test('--fix writes the file, tells what it did, lints what is left, and has nothing to do then', async t => {
  const folder = folderWith(t, { 'rules.v4': server(ssh, ssh, loose) });
  const first = await run(['--fix', 'rules.v4'], { cwd: folder });
  t.deepEqual(first, {
    code: 0, stdout: 'no problems in 1 file\n',
    stderr: `iptables-lint: rules.v4: delete the rule (duplicate-rule): ${ssh}\niptables-lint: rules.v4: write 192.0.2.0/24, which it means (host-bits-set): ${loose}\niptables-lint: 2 repairs made\n`,
  });
  const fixed = server(ssh, loose.replace('.17/', '.0/'));
  t.is(readFileSync(join(folder, 'rules.v4'), 'utf8'), fixed);
  t.is((await run(['--fix=safe', 'rules.v4'], { cwd: folder })).stderr, 'iptables-lint: 0 repairs made\n');
  t.is(readFileSync(join(folder, 'rules.v4'), 'utf8'), fixed);
});

test('--fix-dry-run prints a patch and writes nothing; the exit code says whether there is one', async t => {
  const text = server(ssh, ssh);
  const folder = folderWith(t, { 'rules.v4': text, 'clean.v4': server(ssh) });
  const { code, stdout } = await run(['--fix-dry-run', 'rules.v4', 'clean.v4'], { cwd: folder });
  t.is(code, 1);
  t.is(stdout, `--- rules.v4\n+++ rules.v4\n@@ -5,5 +5,4 @@\n -A INPUT -i lo -j ACCEPT\n -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n ${ssh}\n-${ssh}\n COMMIT\n`);
  t.is(readFileSync(join(folder, 'rules.v4'), 'utf8'), text);
  t.deepEqual(await run(['--fix-dry-run', 'clean.v4'], { cwd: folder }), { code: 0, stdout: '', stderr: 'iptables-lint: 0 repairs would be made\n' });
  t.is((await run(['--fix-dry-run', '-'], { cwd: folder, input: text })).code, 1);
});

(spawnSync('git', ['--version']).status === 0 && spawnSync('patch', ['--version']).status === 0 ? test : test.skip)('git and patch make of the patch what --fix writes, whatever the files are called', async t => {
  const names = ['a b.rules', 'd d/ü.rules', 'quo"te.rules', 'crlf.rules', 'no-end.rules'];
  const textOf = (name: string): string => name === 'crlf.rules' ? server(ssh, ssh).replaceAll('\n', '\r\n') : name === 'no-end.rules' ? server(ssh, ssh).trimEnd() : server(ssh, ssh);
  const folders = [0, 1, 2].map(() => folderWith(t, Object.fromEntries(names.map(name => [name, textOf(name)]))));
  const [fixed = '', byGit = '', byPatch = ''] = folders;
  const { stdout } = await run(['--fix-dry-run', '.'], { cwd: fixed });
  await run(['--fix', '.'], { cwd: fixed });
  t.is(spawnSync('git', ['apply', '-p0'], { cwd: byGit, input: stdout }).status, 0);
  t.is(spawnSync('patch', ['-p0', '--binary'], { cwd: byPatch, input: stdout }).status, 0);
  for (const name of names) {
    const written = readFileSync(join(fixed, name), 'utf8');
    t.not(written, textOf(name));
    for (const folder of [byGit, byPatch]) t.is(readFileSync(join(folder, name), 'utf8'), written, name);
  }
});

test('what is left decides the exit code', async t => {
  const folder = folderWith(t, { 'rules.v4': server(ssh, ssh).replace('OUTPUT ACCEPT', 'OUTPUT DROP') });
  const { code, stdout } = await run(['--fix', 'rules.v4'], { cwd: folder });
  t.is(code, 1);
  t.true(stdout.includes('missing-established-return') && !stdout.includes('duplicate-rule'), stdout);
  t.is(readFileSync(join(folder, 'rules.v4'), 'utf8').split(ssh).length, 2, 'the other is repaired');
});

test('links are followed, the mode stays, and a file in Latin-1 stays so', async t => {
  const folder = folderWith(t, { 'rules.v4': Buffer.from(server('# für Zürich', ssh, ssh), 'latin1') });
  const file = join(folder, 'rules.v4');
  chmodSync(file, 0o640);
  symlinkSync('rules.v4', join(folder, 'link.v4'));
  await run(['--fix', 'link.v4'], { cwd: folder });
  t.true(lstatSync(join(folder, 'link.v4')).isSymbolicLink());
  t.is(statSync(file).mode & 0o777, 0o640);
  t.deepEqual(readFileSync(file), Buffer.from(server('# für Zürich', ssh), 'latin1'));
});

(spawnSync('patch', ['--version']).status === 0 ? test : test.skip)('patch takes the patch of a file in Latin-1', t => {
  const cwd = folderWith(t, { 'rules.v4': Buffer.from(server('# für Zürich', ssh, ssh), 'latin1') });
  const patch = join(cwd, 'own.patch');
  spawnSync('sh', ['-c', `"${process.execPath}" "${cli}" --fix-dry-run rules.v4 > own.patch`], { cwd });
  t.is(spawnSync('patch', ['-p0', '-i', patch], { cwd }).status, 0);
  t.deepEqual(readFileSync(join(cwd, 'rules.v4')), Buffer.from(server('# für Zürich', ssh), 'latin1'));
});

test('the patch of standard input is in the encoding in which it came', t => {
  const rules = Buffer.from(server('# für Zürich', ssh, ssh), 'latin1');
  const cwd = folderWith(t, { 'rules.v4': rules });
  spawnSync('sh', ['-c', `"${process.execPath}" "${cli}" --fix-dry-run --stdin-filename rules.v4 < rules.v4 > own.patch`], { cwd });
  t.true(readFileSync(join(cwd, 'own.patch')).includes(Buffer.from('\n # für Zürich', 'latin1')));
});

test('only what is reported is repaired: not what a baseline knows', async t => {
  const folder = folderWith(t, { 'rules.v4': server(ssh, ssh) });
  await run(['--baseline', 'known.json', '--update-baseline', 'rules.v4'], { cwd: folder });
  const { stderr } = await run(['--fix', '--baseline', 'known.json', 'rules.v4'], { cwd: folder });
  t.true(stderr.includes('0 repairs made'), stderr);
  t.is(readFileSync(join(folder, 'rules.v4'), 'utf8'), server(ssh, ssh));
});

/** Two findings that were there, and on each side of them one that is new. */
const [old, added] = [loose, loose.replace('192.0.2.17', '198.51.100.17')];
const wasThere = server(old);
const isThere = server(ssh, ssh, old, added, added);
const repaired = server(ssh, old, added.replace('.17/', '.0/'));

for (const way of ['--baseline', '--since']) {
  test(`only what is new is repaired: ${way}`, async t => {
    const cwd = folderWith(t, { 'rules.v4': wasThere });
    const file = join(cwd, 'rules.v4');
    const words = way === '--since' ? ['--since', 'HEAD'] : ['--baseline', 'known.json'];
    if (way === '--baseline') await run([...words, '--update-baseline', 'rules.v4'], { cwd });
    else for (const git of [['init', '-q'], ['add', '.'], ['commit', '-qm', 'first']]) spawnSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.net', ...git], { cwd });
    writeFileSync(file, isThere);
    const dry = await run(['--fix-dry-run', ...words, 'rules.v4'], { cwd });
    t.is(dry.code, 1);
    t.deepEqual(dry.stdout.split('\n').filter(line => /^[-+]-A/u.test(line)), [`-${ssh}`, `-${added}`, `-${added}`, `+${added.replace('.17/', '.0/')}`]);
    t.is(readFileSync(file, 'utf8'), isThere);
    const { code, stderr } = await run(['--fix', ...words, 'rules.v4'], { cwd });
    t.is(readFileSync(file, 'utf8'), repaired);
    t.regex(stderr, /3 repairs made/u);
    // What is left is what was known.
    t.is(code, 0);
    t.is((await run(['rules.v4'], { cwd })).code, 1);
    t.regex((await run(['--fix', 'rules.v4'], { cwd })).stderr, /1 repair made/u);
  });
}

test('a baseline is written after repairs, not with them; what a host had is not repaired', async t => {
  const host = JSON.stringify({ ruleSets: [{ family: 'ipv4', backend: 'nft', text: server(ssh, ssh) }] });
  const cwd = folderWith(t, { 'rules.v4': server(ssh, ssh), 'web.host.json': host });
  const { code, stderr } = await run(['--fix', '--baseline', 'known.json', '--update-baseline', 'rules.v4'], { cwd });
  t.is(code, 2);
  t.regex(stderr, /--fix \[which\]' cannot be used with option '--update-baseline'/u);
  t.is(readFileSync(join(cwd, 'rules.v4'), 'utf8'), server(ssh, ssh));
  t.regex((await run(['--fix', 'web.host.json'], { cwd })).stderr, /web\.host\.json: not repaired: it says what a host was/u);
  t.is(readFileSync(join(cwd, 'web.host.json'), 'utf8'), host);
});

test('a check that is off repairs nothing', async t => {
  const folder = folderWith(t, { 'rules.v4': server(ssh, ssh) });
  t.true((await run(['--fix', '--check', 'duplicate-rule=off', '--check', 'shadowed-rule=off', 'rules.v4'], { cwd: folder })).stderr.includes('0 repairs made'));
});

test('standard input cannot be repaired in place, and other words than safe and unsafe are none', async t => {
  const { code, stderr } = await run(['--fix', '-'], { input: server(ssh) });
  t.deepEqual([code, stderr], [2, 'iptables-lint: cannot repair standard input in place; --fix-dry-run prints a patch\n']);
  t.is((await run(['--fix=all', 'rules.v4'])).code, 2);
});

test('a file that cannot be repaired does not keep others from it', async t => {
  const folder = folderWith(t, { 'bad.v4': `${server(ssh, ssh)}nonsense\n`, 'good.v4': server(ssh, ssh) });
  const { code, stderr } = await run(['--fix', 'bad.v4', 'missing.v4', 'good.v4'], { cwd: folder });
  t.is(code, 2);
  t.true(stderr.includes('bad.v4:8: not made: delete the rule (duplicate-rule): the file has errors'), stderr);
  t.is(readFileSync(join(folder, 'good.v4'), 'utf8'), server(ssh));
});
