import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { folderWith, run, table, withError } from './run.js';

const drop = (rules: string): string => rules.replaceAll(' ACCEPT [', ' DROP [');
/** Answers do not get out. */
const mute = drop(table('-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'));
const sound = drop(table('-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', '-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'));

interface Traced {
  readonly steps: readonly { readonly verdict: string; readonly by: string | null }[];
}

test('what breaks a property is a scenario, and trace shows the same', async t => {
  const folder = folderWith(t, { 'rules.v4': mute });
  const fuzzed = await run(['fuzz', 'rules.v4', '--output', 's.yaml'], { cwd: folder });
  t.is(fuzzed.code, 1);
  t.is(fuzzed.stderr, '');
  t.regex(fuzzed.stdout, /✖ replies-pass: the server's SYN\/ACK is dropped by the policy of filter OUTPUT/u);
  t.true(fuzzed.stdout.includes('iptables-lint trace rules.v4 --scenario s.yaml shows what happens'));
  const traced = await run(['trace', 'rules.v4', '--scenario', 's.yaml', '--format', 'json'], { cwd: folder });
  const { steps } = JSON.parse(traced.stdout) as Traced;
  t.deepEqual(steps.map(({ verdict, by }) => [verdict, by]), [['delivered', null], ['drop', 'filter:OUTPUT:policy']]);
  // Without --output the same is printed.
  const printed = await run(['fuzz', 'rules.v4'], { cwd: folder });
  t.true(printed.stdout.endsWith(`\n${readFileSync(join(folder, 's.yaml'), 'utf8')}`));
});

test('a file that is not there is told once, and a folder is no rule file', async t => {
  const cwd = folderWith(t, { 'a/b.rules': sound });
  t.deepEqual(await run(['fuzz', 'nosuch'], { cwd }), { code: 2, stdout: '', stderr: 'iptables-lint: cannot read nosuch: no such file or directory\n' });
  t.regex((await run(['fuzz', 'a'], { cwd })).stderr, /cannot read a: it is a directory/u);
});

test('where nothing breaks, the exit code is 0, and what was not tested is said', async t => {
  const folder = folderWith(t, { 'rules.v4': sound });
  const { code, stdout } = await run(['fuzz', 'rules.v4', '--runs', '50'], { cwd: folder });
  t.is(code, 0, stdout);
  t.regex(stdout, /✔ replies-pass: held in 50 conversations, \d+ packets/u);
  t.true(stdout.includes('- new-only-to-listed-ports: skipped: it needs to know which ports: --allow-ports 22,80,443'));
});

test('the same input prints the same, and the printed seed and path play it again', async t => {
  const folder = folderWith(t, { 'rules.v4': mute });
  const words = ['fuzz', 'rules.v4', '--property', 'replies-pass'];
  const [one, other] = [await run(words, { cwd: folder }), await run(words, { cwd: folder })];
  t.is(one.stdout, other.stdout);
  const again = /--seed \d+ --path [\d:]+/u.exec(one.stdout)?.[0] ?? '';
  const replayed = await run([...words, ...again.split(' ')], { cwd: folder });
  t.is(replayed.code, 1);
  t.is(replayed.stdout.split('\n# --property')[1]?.split('\n').slice(1).join('\n'), one.stdout.split('\n# --property')[1]?.split('\n').slice(1).join('\n'));
});

test('on a host that is described, packets come from where they can', async t => {
  const host = { interfaces: [{ name: 'wan', addresses: ['192.0.2.1/24'] }, { name: 'lan', addresses: ['192.168.1.1/24'] }], routes: { ipv4: ['default via 192.0.2.254 dev wan'] }, sysctls: { 'net.ipv4.conf.all.rp_filter': '1' } };
  const folder = folderWith(t, { 'host.json': JSON.stringify(host) });
  const rules = join(process.cwd(), 'rules-examples/port-knocking.rules');
  const { code, stdout } = await run(['fuzz', rules, '--host', 'host.json', '--untrusted', 'wan', '--allow-ports', '80,443', '--property', 'new-only-to-listed-ports', '--output', 's.yaml'], { cwd: folder });
  t.is(code, 1, stdout);
  const knock = readFileSync(join(folder, 's.yaml'), 'utf8');
  t.deepEqual([...knock.matchAll(/dport: (?<port>\d+)/gu)].map(match => match.groups?.['port']), ['7411', '9133', '8255', '22']);
  t.false(knock.includes('interfaces'));
  const traced = await run(['trace', rules, '--host', 'host.json', '--scenario', 's.yaml', '--format', 'json'], { cwd: folder });
  t.like((JSON.parse(traced.stdout) as Traced).steps.at(-1), { verdict: 'delivered' });
});

test('JSON is for programs', async t => {
  const folder = folderWith(t, { 'rules.v4': mute });
  const { code, stdout } = await run(['fuzz', 'rules.v4', '--format', 'json', '--seed', '7', '--property', 'replies-pass', '--property', 'new-only-to-listed-ports'], { cwd: folder });
  t.is(code, 1);
  const { schemaVersion, rulesets } = JSON.parse(stdout) as { readonly schemaVersion: number; readonly rulesets: readonly { readonly seed: number; readonly properties: readonly { readonly property: string; readonly kind: string }[] }[] };
  t.is(schemaVersion, 1);
  t.is(rulesets[0]?.seed, 7);
  t.deepEqual(rulesets[0]?.properties.map(({ property, kind }) => [property, kind]), [['replies-pass', 'failed'], ['new-only-to-listed-ports', 'skipped']]);
});

test('what cannot be tested is said in a line, with exit code 2', async t => {
  const folder = folderWith(t, { 'rules.v4': sound, 'bad.v4': withError });
  const lines: readonly (readonly [words: readonly string[], said: string])[] = [
    [['rules.v4', '--property', 'reply-pass'], 'there is no property reply-pass: did you mean `replies-pass`?'],
    [['rules.v4', '--allow-ports', '22,http'], '--allow-ports: `http` is no port'],
    [['rules.v4', '--untrusted', 'eth0'], '--untrusted goes with --allow-ports'],
    [['rules.v4', '--path', '0:1'], '--path goes with --property'],
    [['rules.v4', '--runs', '0'], '--runs 0 tests nothing'],
    [['bad.v4'], 'bad.v4 is not tested: iptables-restore would refuse it'],
    [['absent.v4'], 'cannot read absent.v4'],
  ];
  for (const [words, said] of lines) {
    const { code, stdout, stderr } = await run(['fuzz', ...words], { cwd: folder });
    t.is(code, 2, said);
    t.is(stdout, '');
    t.true(stderr.includes(`iptables-lint: ${said}`), stderr);
  }
});

test('lint --decide makes a finding certain that is possible, by the conversation in which it happens', async t => {
  const rules = table('-A INPUT -p tcp -m tcp --dport 7411 -m recent --set --name knock --rsource', '-A INPUT -m recent ! --rcheck --name knock --rsource -j DROP').replace('-A INPUT -j DROP\n', '');
  const folder = folderWith(t, { 'rules.v4': rules });
  const found = async (...words: readonly string[]): Promise<readonly unknown[]> => {
    const { stdout } = await run(['--format', 'json', ...words, 'rules.v4'], { cwd: folder });
    const { files } = JSON.parse(stdout) as { readonly files: readonly { readonly findings: readonly { readonly check: string; readonly certainty: string; readonly witness: readonly { readonly packet: { readonly dport?: number } }[] | null }[] }[] };
    return files.flatMap(({ findings }) => findings).filter(({ check }) => check === 'default-accept').map(({ certainty, witness }) => [certainty, witness?.map(({ packet }) => packet.dport)[0], witness?.length]);
  };
  t.deepEqual(await found(), [['possible', undefined, undefined]]);
  t.deepEqual(await found('--decide'), [['certain', 7411, 2]], 'whoever knocks gets in wherever he likes');
});
