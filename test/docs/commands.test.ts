/** Every command of docs/many-hosts.md and docs/fixes.md is carried out as it stands there. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { checks } from '../../analyzer/checks/index.js';
import { loadChecks } from '../../analyzer/model/load-checks.js';
import { clean, cli, folderWith, table, withError, withWarning } from '../cli/run.js';
import { blocks, page } from './stranger.js';

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const host = JSON.stringify({ ruleSets: [{ family: 'ipv4', backend: 'nft', text: withWarning }, { family: 'ipv6', backend: 'nft', text: table('-A INPUT -s 2001:db8::/64 -j DROP') }] });

/** A folder, and a shell in it that knows the program; a host is reached that answers with `host`. */
function shellIn(t: ExecutionContext, files: Readonly<Record<string, string>>): { readonly folder: string; readonly sh: (command: string, env?: NodeJS.ProcessEnv) => Ran } {
  const folder = folderWith(t, { ...files, 'bin/iptables-lint': `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`, 'bin/ssh': `#!/bin/sh\nshift\n"$@" > collected.json && cat <<'END'\n${host}\nEND\n` });
  for (const name of ['iptables-lint', 'ssh']) chmodSync(join(folder, 'bin', name), 0o755);
  const { FORCE_COLOR, NODE_OPTIONS, ...plain } = process.env;
  return { folder, sh: (command, env = {}) => spawnSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8', env: { ...plain, PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`, ...env } }) };
}

/** Those in blocks, and those in the text that begin with the program's name. */
function commandsOf(name: string): readonly string[] {
  const text = page(name);
  return [...blocks(text, 'sh').flatMap(block => block.trim().split('\n')), ...[...text.replace(/^```[^]*?^```$/gmu, '').matchAll(/`(iptables-lint [^`]*)`/gu)].map(match => match[1] ?? '')];
}

test('docs/many-hosts.md: hosts are collected, linted, and linted in parts that are joined', t => {
  t.timeout(600_000);
  const { folder, sh } = shellIn(t, { 'hosts/web2/rules.v4': withError, 'hosts/web3.rules': clean });
  const [collect = '', lint = '', shard = '', merge = '', ...others] = commandsOf('many-hosts.md');
  t.deepEqual(others, []);
  t.is(sh(collect).status, 0);
  t.true('interfaces' in (JSON.parse(readFileSync(join(folder, 'collected.json'), 'utf8')) as object));
  const whole = sh(lint);
  t.deepEqual([whole.status, whole.stderr], [1, '']);
  t.regex(readFileSync(join(folder, 'report.ndjson'), 'utf8'), /"path":"hosts\/web1\.host\.json#ipv4-nft","check":"host-bits-set"/u);

  // As a matrix puts the number of the part into it.
  const parts = Array.from({ length: 8 }, (_, index) => sh(shard.replaceAll(/\b2(?=\/8|\.json)/gu, String(index + 1))));
  t.true(shard.includes('--shard 2/8') && parts.every(({ status, stderr }) => status !== 2 && stderr === ''));
  const joined = sh(merge);
  t.is(joined.stdout, sh('iptables-lint --format json hosts/').stdout);
  t.is(joined.status, 1);
});

test('docs/many-hosts.md: a job array tells the part by its number', t => {
  const [, words = ''] = /`(--shard "\$[^`]*)`/u.exec(page('many-hosts.md')) ?? [];
  const { sh } = shellIn(t, Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map(number => [`hosts/web${String(number)}.rules`, number === 8 ? withError : clean])));
  t.regex(sh(`iptables-lint ${words} hosts/`, { SLURM_ARRAY_TASK_ID: '8' }).stdout, /undefined-chain/u);
  t.is(sh(`iptables-lint ${words} hosts/`, { SLURM_ARRAY_TASK_ID: '9' }).status, 2);
});

test('docs/fixes.md: what is new is repaired, and nothing else', t => {
  t.timeout(600_000);
  const { folder, sh } = shellIn(t, { 'rules.v4': withWarning });
  const commands = commandsOf('fixes.md');
  t.is(commands.length, 3);
  const git = sh('git init -q -b main && git add rules.v4 && git -c user.name=x -c user.email=x@example.net commit -qm first && iptables-lint --baseline known.json --update-baseline rules.v4');
  t.is(git.status, 0, git.stderr);
  const changed = withWarning.replace('-A', '-A INPUT -s 198.51.100.1/24 -p tcp -m tcp --dport 25 -j DROP\n-A');
  for (const command of commands) {
    writeFileSync(join(folder, 'rules.v4'), changed);
    const { status, stdout, stderr } = sh(command.replace('FILES', 'rules.v4'));
    const isPatch = command.includes('--fix-dry-run');
    const repaired = isPatch ? stdout : readFileSync(join(folder, 'rules.v4'), 'utf8');
    t.true(repaired.includes('198.51.100.0/24'), `${command}: ${stderr}`);
    t.is(repaired.includes('192.0.2.0/24'), command.includes('FILES'), command);
    t.is(status, isPatch ? 1 : 0, command);
  }
});

test('docs/fixes.md: its tables name checks', t => {
  const known = new Set([...checks.map(({ name }) => name), ...Object.keys(loadChecks)]);
  const named = [...page('fixes.md').matchAll(/^\| (`[^|]*`) \|/gmu)].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/gu)].map(match => match[1] ?? ''));
  t.true(named.length > 15);
  for (const name of named) t.true(known.has(name), name);
});
