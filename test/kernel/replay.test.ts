/** `iptables-lint replay`: the kernel confirms what is so, contradicts what is not, and nothing is left of it. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { cli, folderWith, run, type Run } from '../cli/run.js';
import { kernelAvailable } from './kernel-available.js';

const reason = kernelAvailable();
const onKernel = reason === undefined ? test.serial : test.skip;
const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Marked {
  readonly check: string;
  readonly kernel: string;
  readonly kernelReason?: string;
  readonly witness: { in: string; packet: Record<string, string | number> }[] | null;
}

interface Report {
  readonly files: readonly { readonly findings: readonly Marked[] }[];
  readonly summary: { readonly kernel: object };
}

function findingsOf({ stdout }: Run): readonly Marked[] {
  return (JSON.parse(stdout) as Report).files.flatMap(file => file.findings).filter(one => one.witness !== null);
}

/** A folder with a rule file, and the report on it. */
async function reported(t: ExecutionContext, rules: string, words: readonly string[] = [], name = 'rules.v4'): Promise<string> {
  const folder = folderWith(t, { [name]: rules });
  const { stdout } = await run([name, '--format', 'json', '--fail-on', 'never', ...words], { cwd: folder });
  writeFileSync(join(folder, 'report.json'), stdout);
  return folder;
}

function table(...rules: readonly string[]): string {
  return ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT DROP [0:0]', ...rules, 'COMMIT', ''].join('\n');
}

const noReplies = table('-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT');
const shadowed = table('-A INPUT -p tcp -m tcp --dport 20:30 -j DROP', '-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j ACCEPT');
const shadowedForward = table('-A FORWARD -i eth1.5 -o eth1.5 -j ACCEPT', '-A FORWARD -s 10.0.0.0/8 -i eth1.5 -o eth1.5 -p udp -j DROP');

for (const backend of ['nft', 'legacy']) {
  onKernel(`what the linter shows is what the kernel does: ${backend}`, async t => {
    for (const [rules, check] of [[noReplies, 'missing-established-return'], [shadowed, 'shadowed-rule'], [shadowedForward, 'shadowed-rule']] as const) {
      const cwd = await reported(t, rules, ['--backend', backend]);
      const answer = await run(['replay', 'report.json', '--backend', backend, '--format', 'json'], { cwd });
      t.is(answer.stderr, '');
      t.is(answer.code, 0);
      t.true(findingsOf(answer).some(one => one.check === check));
      for (const one of findingsOf(answer)) t.is(one.kernel, 'confirmed', one.kernelReason);
    }
  });
}

onKernel('a script is replayed with the chains that its commands make', async t => {
  const lines = ['#!/bin/sh', 'IPT=iptables', 'iptables -t nat -F', '$IPT -t mangle -A POSTROUTING -p udp -j MARK --set-mark 1', '$IPT -P INPUT DROP', '$IPT -A INPUT -i eth0 -p tcp --dport 22 -j ACCEPT', '$IPT -P OUTPUT DROP', ''];
  const cwd = await reported(t, lines.join('\n'), [], 'fw.sh');
  const answer = await run(['replay', 'report.json', '--format', 'json'], { cwd });
  t.true(findingsOf(answer).some(one => one.check === 'missing-established-return'));
  for (const one of findingsOf(answer)) t.is(one.kernel, 'confirmed', one.kernelReason);
});

onKernel('the rule sets of a host are replayed by the names that they have in its report', async t => {
  const ruleSets = ['nft', 'legacy'].map(backend => ({ family: 'ipv4', backend, text: noReplies }));
  const cwd = folderWith(t, { 'hosts/web1.host.json': JSON.stringify({ ruleSets }) });
  writeFileSync(join(cwd, 'report.json'), (await run(['--format', 'json', 'hosts'], { cwd })).stdout);
  for (const [words, from] of [[['report.json'], cwd], [['../report.json', '--rules-root', '..'], join(cwd, 'hosts')]] as const) {
    const answer = await run(['replay', ...words, '--format', 'json'], { cwd: from });
    t.is(answer.stderr, '');
    t.is(answer.code, 0);
    const { files } = JSON.parse(answer.stdout) as { files: { path: string; findings: Marked[] }[] };
    t.deepEqual(files.map(({ path }) => path), ['hosts/web1.host.json#ipv4-nft', 'hosts/web1.host.json#ipv4-legacy']);
    for (const { path, findings } of files) t.true(findings.some(one => one.check === 'missing-established-return' && one.kernel === 'confirmed'), path);
  }
});

/** A report with another packet in the place of that of a check's finding. */
function plant(folder: string, check: string, change: (packet: Record<string, string | number>) => void): void {
  const path = join(folder, 'report.json');
  const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
  const [step] = report.files.flatMap(file => file.findings).find(one => one.check === check)?.witness ?? [];
  if (step !== undefined) change(step.packet);
  writeFileSync(path, JSON.stringify(report));
}

onKernel('a witness that shows nothing of the kind is contradicted, and the exit code is 1', async t => {
  const cwd = await reported(t, shadowed);
  plant(cwd, 'shadowed-rule', packet => { packet['dport'] = 31; });
  const answer = await run(['replay', 'report.json', '--format', 'json'], { cwd });
  t.is(answer.code, 1);
  const one = findingsOf(answer).find(({ check }) => check === 'shadowed-rule');
  t.is(one?.kernel, 'contradicted');
  t.is(one?.kernelReason, 'the kernel agrees with trace, and not with the finding: packet 1: filter:INPUT:policy decides, and not filter:INPUT:1');
});

onKernel('a script makes the chains that it speaks of, and no others: packets pass no policy that nobody set', async t => {
  const cwd = await reported(t, 'iptables -F\niptables -t nat -F\niptables -P INPUT DROP\niptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\niptables -A INPUT -p tcp --dport 22 -j ACCEPT\n');
  const answer = await run(['replay', 'report.json', '--format', 'json'], { cwd });
  t.is(answer.code, 0);
  t.is(findingsOf(answer).find(({ check }) => check === 'loopback-blocked')?.kernel, 'confirmed');
});

onKernel('for people: a line for each finding with packets, and a summary', async t => {
  const cwd = await reported(t, shadowed);
  const { code, stdout } = await run(['replay', 'report.json'], { cwd });
  t.is(code, 0);
  t.regex(stdout, /^rules\.v4\n(?: {2}✔ .*: confirmed\n)* {2}✔ shadowed-rule in line 6 \(filter:INPUT:2\): confirmed\n(?: {2}✔ .*: confirmed\n)*\n\d findings? confirmed by the kernel(?:; \d+ without packets)?\n$/u);
});

onKernel('where the file has changed, nothing is replayed of what is not found again', async t => {
  const cwd = await reported(t, shadowed);
  writeFileSync(join(cwd, 'rules.v4'), shadowed.replace('20:30', '30:40'));
  t.regex((await run(['replay', 'report.json'], { cwd })).stdout, /shadowed-rule in line 6 \(filter:INPUT:2\): not replayed\n {6}it is not found any more: the file changed, or it was linted with other options\n/u);
  writeFileSync(join(cwd, 'rules.v4'), '');
  t.is((await run(['replay', 'report.json'], { cwd })).code, 2, 'nothing is left to be replayed');
  t.regex((await run(['replay', 'report.json', '--rules-root', 'elsewhere'], { cwd })).stdout, /not replayed\n {6}cannot read elsewhere\/rules\.v4: no such file or directory\n/u);
});

onKernel('rules that the kernel does not load are not replayed, in the words of iptables', async t => {
  const cwd = await reported(t, noReplies.replace('COMMIT', '-A FORWARD -m nosuchmatch -j ACCEPT\nCOMMIT'));
  const { code, stdout } = await run(['replay', 'report.json'], { cwd });
  t.is(code, 2);
  t.regex(stdout, /not replayed\n {6}iptables-nft-restore: .*Couldn't load match [`']nosuchmatch'/u);
});

onKernel('sets that rules name are there, and empty', async t => {
  const cwd = await reported(t, noReplies.replace('-A INPUT', '-A INPUT -m set --match-set blocked src -j DROP\n-A INPUT'));
  const { code, stdout } = await run(['replay', 'report.json'], { cwd });
  t.is(code, 0, stdout);
});

onKernel('neighbours are looked for in vain: nobody listens to their groups', async t => {
  const cwd = await reported(t, '*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -s 2001:db8::/64 -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n', [], 'rules.v6');
  const { stdout } = await run(['replay', 'report.json'], { cwd });
  t.regex(stdout, /neighbour-discovery-blocked .*: not replayed\n {6}the interfaces of the namespace do not listen/u);
  t.false(stdout.includes('contradicted'), stdout);
});

onKernel('the namespaces end with an interrupted run, and so do its files', async t => {
  const rules = table(...Array.from({ length: 60 }, (_, index) => `-A INPUT -i eth0 -p tcp -m tcp --dport ${String(1000 + index)} -m limit --limit 1/hour -j ACCEPT`));
  const cwd = await reported(t, rules);
  mkdirSync(join(cwd, 'tmp'));
  const child = spawn(process.execPath, [cli, 'replay', 'report.json'], { cwd, env: { ...process.env, TMPDIR: join(cwd, 'tmp') }, stdio: 'ignore' });
  const helpers = (): readonly string[] => readdirSync('/proc').filter(pid => /^\d+$/u.test(pid) && commandOf(pid).startsWith(join(cwd, 'tmp')));
  while (helpers().length === 0 && child.exitCode === null) await new Promise(resolve => setTimeout(resolve, 20));
  const ended = new Promise(resolve => child.on('exit', resolve));
  child.kill('SIGINT');
  t.is(await ended, 130);
  for (let tries = 0; helpers().length > 0 && tries < 100; tries++) await new Promise(resolve => setTimeout(resolve, 20));
  t.deepEqual(helpers(), []);
  t.deepEqual(readdirSync(join(cwd, 'tmp')), []);
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

onKernel('the machine itself is left as it was', async t => {
  const state = (): string => ['nft list ruleset', 'ip address', 'ip route', 'sysctl -a --pattern ^net[.](ipv[46][.](ip_forward|conf[.].*|icmp.*)|netfilter[.]nf_log.*)'].map(line => {
    const [program = '', ...words] = line.split(' ');
    return spawnSync(program, words, { encoding: 'utf8' }).stdout.replaceAll(/(?:valid|preferred)_lft \S+/gu, '');
  }).join('\n');
  const before = state();
  const cwd = await reported(t, shadowedForward);
  t.is((await run(['replay', 'report.json'], { cwd })).code, 0);
  t.is(state(), before);
});

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('whoever is not root is told so, in one line', t => {
  const folder = folderWith(t, { 'report.json': '{"schemaVersion":1,"files":[],"summary":{"errors":0,"warnings":0,"infos":0}}' });
  // What is below somebody's home nobody can read.
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  chmodSync(folder, 0o755);
  const words = [process.execPath, join(folder, 'dist/cli.cjs'), 'replay', join(folder, 'report.json')];
  const asNobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...words] : words;
  const [program = '', ...rest] = asNobody;
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8', cwd: '/' });
  t.is(stderr, 'iptables-lint: replay asks the kernel of this machine, and cannot: it needs root, for a network namespace of its own\n');
  t.is(stdout, '');
  t.is(status, 2);
});

onKernel('the page shows what is printed', t => {
  const page = readFileSync(join(root, 'docs/replay.md'), 'utf8');
  const [commands = '', shown = ''] = [...page.matchAll(/^```(?:sh)?\n([^]*?)^```$/gmu)].map(match => match[1] ?? '');
  const folder = folderWith(t, {});
  cpSync(join(root, 'rules-examples'), join(folder, 'rules-examples'), { recursive: true });
  const script = commands.replaceAll(/(?:sudo )?npx iptables-lint/gu, `"${process.execPath}" "${cli}"`);
  t.is(execFileSync('sh', ['-ec', script], { cwd: folder, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined } }), shown);
});
