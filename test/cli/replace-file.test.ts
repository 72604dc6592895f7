import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { replaceFile } from '../../cli/replace-file.js';
import { cli, folderWith } from './run.js';

test('a file is replaced by another, with its mode; nothing else is left', async t => {
  const folder = folderWith(t, { 'host.json': 'old' });
  const file = join(folder, 'host.json');
  chmodSync(file, 0o640);
  const { ino } = statSync(file);
  await replaceFile(file, 'new', 0o600);
  t.deepEqual([readFileSync(file, 'utf8'), statSync(file).mode & 0o777], ['new', 0o640]);
  t.not(statSync(file).ino, ino);
  t.deepEqual(readdirSync(folder), ['host.json']);
});

test('a file that was not there has the mode that is asked for', async t => {
  const folder = folderWith(t, {});
  await replaceFile(join(folder, 'host.json'), 'new', 0o600);
  t.is(statSync(join(folder, 'host.json')).mode & 0o777, 0o600);
  t.deepEqual(readdirSync(folder), ['host.json']);
});

test('where a link leads to nothing, the file is made there', async t => {
  const folder = folderWith(t, {});
  symlinkSync('own.json', join(folder, 'host.json'));
  await replaceFile(join(folder, 'host.json'), 'new');
  t.true(lstatSync(join(folder, 'host.json')).isSymbolicLink());
  t.is(readFileSync(join(folder, 'own.json'), 'utf8'), 'new');
});

test('what cannot take the place of the other leaves nothing behind', async t => {
  const folder = folderWith(t, { 'host.json/file': '' });
  await t.throwsAsync(replaceFile(join(folder, 'host.json'), 'new'), { message: /cannot write .*host\.json: it is a directory/u });
  await t.throwsAsync(replaceFile(join(folder, 'nowhere/host.json'), 'new'), { message: /cannot write .*no such file or directory/u });
  t.deepEqual(readdirSync(folder), ['host.json']);
});

(process.platform === 'linux' ? test : test.skip)('pipes, and files that are open as /dev/stdout, are written to', t => {
  const folder = folderWith(t, {});
  const collect = `"${process.execPath}" "${cli}" collect --output`;
  const { stdout } = spawnSync('sh', ['-c', `mkfifo pipe; ${collect} pipe & cat pipe; wait; ${collect} /dev/stdout | cat; exec > host.json; ${collect} /dev/stdout; ls -i host.json /dev/fd/1 -L`], { cwd: folder, encoding: 'utf8' });
  t.is(stdout.match(/"collected"/gu)?.length, 2);
  t.true(lstatSync(join(folder, 'pipe')).isFIFO());
  const text = readFileSync(join(folder, 'host.json'), 'utf8');
  t.is(new Set([...text.matchAll(/^ *(\d+) (?:host\.json|\/dev\/fd\/1)$/gmu)].map(([, inode]) => inode)).size, 1, text);
});

test('a baseline is replaced as a whole', t => {
  const folder = folderWith(t, { 'a.rules': '*filter\nCOMMIT\n' });
  const update = (): unknown => spawnSync(process.execPath, [cli, '--baseline', 'known.json', '--update-baseline', 'a.rules'], { cwd: folder });
  update();
  const { ino } = statSync(join(folder, 'known.json'));
  update();
  t.not(statSync(join(folder, 'known.json')).ino, ino);
});
