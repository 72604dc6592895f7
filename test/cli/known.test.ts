/** Notes, baselines and commits, as a user meets them. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { folderWith, run, table, withWarning } from './run.js';

const second = '-A INPUT -s 198.51.100.1/24 -j DROP';
const both = withWarning.replace('-A INPUT -i lo', `${second}\n-A INPUT -i lo`);

test('what is suppressed does not fail, and is shown where that is asked for', async t => {
  const folder = folderWith(t, { 'a.rules': withWarning.replace('-A', '# iptables-lint-disable-next-line host-bits-set -- the network is meant\n-A') });
  const plain = await run(['a.rules'], { cwd: folder });
  t.is(plain.code, 0);
  t.false(plain.stdout.includes('host-bits-set'));
  const shown = await run(['--show-suppressed', 'a.rules'], { cwd: folder });
  t.is(shown.code, 0);
  t.regex(shown.stdout, /suppressed: a\.rules:6 host-bits-set: .*\(the network is meant\)/u);
  t.is((await run(['--no-suppressions', 'a.rules'], { cwd: folder })).code, 1);
  const { stdout } = await run(['--show-suppressed', '--format', 'json', 'a.rules'], { cwd: folder });
  const { files } = JSON.parse(stdout) as { files: { suppressed: { suppressed: { reason: string } }[] }[] };
  t.deepEqual(files[0]?.suppressed.map(one => one.suppressed), [{ reason: 'the network is meant' }]);
});

test('a baseline hides what is written down, through moved lines, and nothing new', async t => {
  const folder = folderWith(t, { 'a.rules': withWarning });
  const file = join(folder, 'a.rules');
  const lint = (...words: readonly string[]): ReturnType<typeof run> => run(['--baseline', 'known.json', ...words, 'a.rules'], { cwd: folder });
  t.is((await lint()).code, 2, 'there is none yet');
  const { code, stderr } = await lint('--update-baseline');
  t.is(code, 0);
  t.regex(stderr, /wrote \d+ findings? to known\.json/u);
  t.is((await lint()).code, 0);

  writeFileSync(file, withWarning.replace('-A', '# moved\n-A INPUT -p tcp -m tcp --dport 24 -j DROP\n-A'));
  t.is((await lint()).code, 0);
  writeFileSync(file, both);
  const found = await lint();
  t.is(found.code, 1);
  t.true(found.stdout.includes('198.51.100.1') || found.stdout.includes('7:'), found.stdout);
  writeFileSync(file, withWarning.replace('COMMIT', `${withWarning.split('\n')[4] ?? ''}\nCOMMIT`));
  t.is((await lint()).code, 1, 'a second one like the first is new');

  writeFileSync(file, table());
  t.regex((await lint()).stderr, /no longer found; --update-baseline forgets/u);
  await lint('--update-baseline');
  t.false(readFileSync(join(folder, 'known.json'), 'utf8').includes('host-bits-set'));
});

for (const [text, message] of [
  ['{"schemaVersion": 1,\n "files": {', /error: Expected property name[^]*known\.json:2:12\n[^]*\| {12}\^[^]*known\.json is no baseline: it is not JSON from line 2, column 12 on/u],
  ['{"schemaVersion": 1, "files": {"a.rules": {"x": 1}}}', /`files\.a\.rules\.x` must be text[^]*known\.json:1:49/u],
  ['{"schemaVersion": 2, "files": {}}', /`schemaVersion` must be 1[^]*known\.json:1:19/u],
  ['{}', /the baseline lacks `schemaVersion`/u],
  [withWarning, /known\.json is no baseline: it is not JSON/u],
] as const) {
  test(`what is no baseline is neither read nor overwritten: ${text.slice(0, 40)}`, async t => {
    const folder = folderWith(t, { 'a.rules': withWarning, 'known.json': text });
    for (const words of [[], ['--update-baseline']]) {
      const { code, stderr } = await run(['--baseline', 'known.json', ...words, 'a.rules'], { cwd: folder });
      t.is(code, 2);
      t.regex(stderr, message);
    }
    t.is(readFileSync(join(folder, 'known.json'), 'utf8'), text);
  });
}

test('a file that is not read in full is told, also where the finding that says so is known', async t => {
  const folder = folderWith(t, { 'a.rules': withWarning.replace('COMMIT\n', '') });
  const lint = (...words: readonly string[]): ReturnType<typeof run> => run(['--baseline', 'known.json', ...words, 'a.rules'], { cwd: folder });
  await lint('--update-baseline');
  const { code, stdout } = await lint();
  t.is(code, 2);
  t.is(stdout, 'no problems in 1 file\n  1 file not linted in full: more may be wrong\n');
});

const addresses = Array.from({ length: 21 }, (_, i) => `-A INPUT -s 192.0.2.${String(7 * i)}/32 -j DROP`);
const states = (port: number): string => `-A INPUT -p tcp -m tcp --dport ${String(port)} -j ACCEPT`;

for (const [check, rules, added] of [
  ['duplicate-rule', [states(22), states(22)], states(22)], ['list-could-be-ipset', addresses, '-A INPUT -s 192.0.2.200/32 -j DROP'],
  ['mergeable-rules', [states(22), states(80)], states(443)], ['invalid-accepted', [states(22), states(8080)], states(9999)],
] as const) {
  test(`one rule more of those that one finding is about is not known: ${check}`, async t => {
    const before = table(...rules), after = table(...rules, added);
    const folder = folderWith(t, { 'a.rules': before });
    const lint = (...words: readonly string[]): ReturnType<typeof run> => run(['--baseline', 'known.json', '--format', 'ndjson', ...words, 'a.rules'], { cwd: folder });
    await lint('--update-baseline');
    t.false((await lint()).stdout.includes(check));
    writeFileSync(join(folder, 'a.rules'), after);
    t.true((await lint()).stdout.includes(check));
  });
}

test('a baseline that is none is no success, and --update-baseline wants a name', async t => {
  const folder = folderWith(t, { 'a.rules': withWarning, 'known.json': '{"files": 3}' });
  t.is((await run(['--baseline', 'known.json', 'a.rules'], { cwd: folder })).code, 2);
  const { code, stderr } = await run(['--update-baseline', 'a.rules'], { cwd: folder });
  t.is(code, 2);
  t.regex(stderr, /name the file, as in --baseline/u);
});

/** A folder with these files, committed. */
function repository(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const folder = folderWith(t, files);
  for (const words of [['init', '-q'], ['add', '.'], ['commit', '-qm', 'first']]) {
    const { status, stderr } = spawnSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.net', ...words], { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }
  return folder;
}

const withGit = spawnSync('git', ['--version']).status === 0 ? test : test.skip;

interface Told { readonly path: string; readonly check: string; readonly line: number }

/** What is found that was not at the last commit. */
async function brought(cwd: string, ...words: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run(['--since', 'HEAD', '--format', 'ndjson', ...words], { cwd });
  return stdout.trimEnd().split('\n').slice(0, -1).map(line => JSON.parse(line) as Told).map(({ path, check, line }) => `${path}:${String(line)} ${check}`);
}

withGit('--since shows what a change brought', async t => {
  const folder = repository(t, { 'a.rules': withWarning });
  t.is((await run(['--since', 'HEAD', 'a.rules'], { cwd: folder })).code, 0);
  writeFileSync(join(folder, 'a.rules'), both);
  writeFileSync(join(folder, 'new.rules'), withWarning);
  const { code, stderr } = await run(['--since', 'HEAD', 'a.rules', 'new.rules'], { cwd: folder });
  t.is(code, 1);
  t.deepEqual(await brought(folder, '--check', 'mergeable-rules=off', 'a.rules', 'new.rules'), ['a.rules:6 host-bits-set', 'new.rules:5 host-bits-set']);
  t.regex(stderr, /that HEAD has as well not shown/u);
  const none = await run(['--since', 'nonsense', 'a.rules'], { cwd: folder });
  t.is(none.code, 2);
  t.regex(none.stderr, /git knows no such commit$/mu);
  t.is(spawnSync('git', ['clone', '-q', '--depth', '1', `file://${folder}`, 'shallow'], { cwd: folder }).status, 0);
  t.regex((await run(['--since', 'HEAD~1', 'a.rules'], { cwd: join(folder, 'shallow') })).stderr, /no such commit: the clone is shallow, git fetch --unshallow/u);
});

withGit('--since knows the rule sets of a host as they were', async t => {
  const host = (ipv4: string): string => JSON.stringify({ ruleSets: [{ family: 'ipv4', backend: 'nft', text: ipv4 }, { family: 'ipv6', backend: 'nft', text: table('-A INPUT -s 2001:db8::1/64 -j DROP') }] });
  const folder = repository(t, { 'hosts/a.host.json': host(withWarning), 'hosts/b.host.json': '{' });
  t.deepEqual(await brought(folder, 'hosts/a.host.json'), []);
  writeFileSync(join(folder, 'hosts/a.host.json'), host(both));
  // It was none then, of which nothing is said: all of it is new.
  writeFileSync(join(folder, 'hosts/b.host.json'), host(withWarning));
  t.deepEqual(await brought(folder, '--check', 'mergeable-rules=off', '--check', 'neighbour-discovery-blocked=off', 'hosts'), ['hosts/a.host.json#ipv4-nft:6 host-bits-set', 'hosts/b.host.json#ipv4-nft:5 host-bits-set', 'hosts/b.host.json#ipv6-nft:5 host-bits-set']);
  t.is((await run(['--since', 'HEAD', '--check', 'neighbour-discovery-blocked=off', '--quiet', 'hosts'], { cwd: folder })).stderr.includes('JSON'), false);
});

withGit('--since holds rules against the file of the other family as it was: what a change of that one brought is shown', async t => {
  const web = table('-A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT');
  const folder = repository(t, { 'rules.v4': web, 'rules.v6': web });
  t.deepEqual(await brought(folder, '.'), []);
  writeFileSync(join(folder, 'rules.v6'), table());
  t.deepEqual(await brought(folder, '--check', 'neighbour-discovery-blocked=off', '.'), ['rules.v4:5 family-parity']);
});
