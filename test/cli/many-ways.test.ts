/** Whatever is asked of a lint, its answer is the same for any number of threads, and for shards that are merged. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { clean, folderWith, run, table, withError, withInfo, withWarning } from './run.js';

/** So much that it is worth threads. */
const padding = `#${' '.repeat(78)}\n`.repeat(300);
const noted = withWarning.replace('-A', '# iptables-lint-disable-next-line host-bits-set -- the network is meant\n-A');
const web = table('-A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT');
const host = (ipv4: string, ipv6: string): string => JSON.stringify({ interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }], ruleSets: [{ family: 'ipv4', backend: 'nft', text: ipv4 }, { family: 'ipv6', backend: 'nft', text: ipv6 }] });

const before = {
  'iptables-lint.yaml': 'extends: base.yaml\nfail-on: error\nignore: hosts/old/**\nsiblings: [{ ipv4: hosts/pair/first, ipv6: hosts/pair/second }]\noverrides:\n  - files: [hosts/b*/**]\n    checks: { host-bits-set: error }\n  - files: ["**/*.v6"]\n    persona: auditor\n',
  'base.yaml': 'checks: { unused-chain: warning }\noverrides: [{ files: "hosts/c/**", checks: { host-bits-set: off } }]\n',
  // The same rules, and other levels of checks for each.
  'hosts/a/rules.v4': padding + withWarning, 'hosts/b/rules.v4': padding + withWarning, 'hosts/c/rules.v4': padding + withWarning, 'hosts/old/rules.v4': withError,
  'hosts/d/noted.rules': padding + noted, 'hosts/e/noted.rules': padding + noted, 'hosts/f/rules.v4': web, 'hosts/f/rules.v6': table(), 'hosts/g/rules.v6': web, 'hosts/g/rules.v4': table(),
  'hosts/h.host.json': host(web, table()), 'hosts/i.host.json': host(noted, withInfo), 'hosts/j/rules.v4': withWarning, 'hosts/j/host.json': '{"interfaces": [{"name": "eth0", "addresses": ["192.0.2.1/24"]}]}',
  'hosts/k.rules': padding + withError, 'hosts/l.rules': clean, 'hosts/m.rules': padding + noted.replace('-- the', '-- until 2020-01-01 the'),
};

/** What a change did to them. */
const after = { 'hosts/a/rules.v4': padding + withWarning.replace('-A', '-A INPUT -s 198.51.100.1/24 -j DROP\n-A'), 'hosts/e/noted.rules': padding + withWarning, 'hosts/g/rules.v4': web, 'hosts/h.host.json': host(withWarning, web), 'hosts/n.rules': padding + withError };

function changed(t: ExecutionContext): string {
  const folder = folderWith(t, before);
  for (const words of [['init', '-q'], ['add', '.'], ['commit', '-qm', 'first']]) spawnSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.net', ...words], { cwd: folder });
  for (const [name, text] of Object.entries(after)) writeFileSync(join(folder, name), text);
  return folder;
}

const hasGit = spawnSync('git', ['--version']).status === 0;
const formats = ['json', 'ndjson', 'sarif', 'pretty'];

/** Lints into files of all formats; what is in them, and what else is seen of it. */
async function lint(cwd: string, words: readonly string[]): Promise<object> {
  const { code, stderr } = await run([...words, ...formats.flatMap(format => ['--format', `${format}=out.${format}`]), 'hosts'], { cwd });
  return { code, stderr, ...Object.fromEntries(formats.map(format => [format, readFileSync(join(cwd, `out.${format}`), 'utf8')])) };
}

const ways: readonly (readonly [what: string, words: readonly string[], tells: string])[] = [
  ['a configuration with overrides, pairs and notes', [], 'family-parity'],
  ['a baseline', ['--baseline', 'known.json'], '198.51.100.'],
  ...hasGit ? [['a commit', ['--since', 'HEAD'], '198.51.100.'] as const] : [],
];

for (const [what, words, tells] of ways) {
  test(`${what}: the same with 1, 2 and 4 threads, and in shards`, async t => {
    t.timeout(600_000);
    const folder = changed(t);
    if (words[0] === '--baseline') {
      const plain = folderWith(t, before);
      await run([...words, '--update-baseline', 'hosts'], { cwd: plain });
      writeFileSync(join(folder, 'known.json'), readFileSync(join(plain, 'known.json')));
    }
    const said = ['--show-suppressed', ...words];
    const one = await lint(folder, [...said, '--jobs', '1']) as { code: number; json: string; ndjson: string };
    t.true(one.json.includes(tells) && one.json.includes('"suppressed": {'), one.json);
    t.is(one.code, 1);
    for (const jobs of ['2', '4']) t.deepEqual(await lint(folder, [...said, '--jobs', jobs]), one, jobs);
    for (const index of ['1', '2', '3']) await run([...said, '--shard', `${index}/3`, '--format', `json=${index}.json`, '--format', `ndjson=${index}.ndjson`, 'hosts'], { cwd: folder });
    for (const format of ['json', 'ndjson'] as const) {
      const merged = await run(['merge', ...['1', '2', '3'].map(index => `${index}.${format}`)], { cwd: folder });
      t.deepEqual(merged, { code: one.code, stdout: one[format], stderr: '' });
    }
  });
}

test('a baseline that is written is the same with any number of threads, and shard by shard', async t => {
  t.timeout(600_000);
  const folder = folderWith(t, before);
  const written: string[] = [];
  for (const runs of [[['--jobs', '1']], [['--jobs', '4']], [['--shard', '2/2'], ['--shard', '1/2']]]) {
    rmSync(join(folder, 'known.json'), { force: true });
    for (const words of runs) await run(['--baseline', 'known.json', '--update-baseline', ...words, 'hosts'], { cwd: folder });
    written.push(readFileSync(join(folder, 'known.json'), 'utf8'));
  }
  t.true(written[0]?.includes('host-bits-set'));
  t.deepEqual(written.slice(1), [written[0], written[0]]);
});

test('a merge fails where the lint would: as the configuration says, unless the command line says otherwise', async t => {
  const folder = folderWith(t, { 'a.rules': withWarning, 'iptables-lint.yaml': 'fail-on: error\n' });
  t.is((await run(['--format', 'json=a.json', 'a.rules'], { cwd: folder })).code, 0);
  t.is((await run(['merge', 'a.json'], { cwd: folder })).code, 0);
  t.is((await run(['merge', '--fail-on', 'warning', 'a.json'], { cwd: folder })).code, 1);
  t.is((await run(['merge', '--no-config', 'a.json'], { cwd: folder })).code, 1);
});
