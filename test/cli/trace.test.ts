import test from 'ava';
import { folderWith, run, table, withError } from './run.js';

const rules = table(
  '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT',
  '-A INPUT -m set --match-set friends src -j ACCEPT',
  '-A INPUT -j DROP',
).replace('COMMIT', '-A FORWARD -i eth1 -j ACCEPT\nCOMMIT');

const router = `
interfaces:
  - {name: eth0, addresses: [192.0.2.1/24]}
  - {name: eth1, addresses: [10.0.0.1/24]}
routes: ["default via 192.0.2.254 dev eth0"]
`;

interface Answer {
  readonly steps: readonly { readonly path: readonly string[]; readonly verdict: string; readonly by: string | null; readonly trail?: unknown }[];
}

function parsed(stdout: string): Answer {
  return JSON.parse(stdout) as Answer;
}

test('a packet is followed through the rules, and what was assumed of the host is said', async t => {
  const folder = folderWith(t, { 'rules.v4': rules });
  const { code, stdout, stderr } = await run(['trace', 'rules.v4', '--packet', 'tcp 198.51.100.7:40000 > 192.0.2.1:22 in eth0'], { cwd: folder });
  t.is(code, 0);
  t.true(stdout.includes('filter INPUT'));
  t.true(stdout.includes('-p tcp -m tcp --dport 22 -j ACCEPT'));
  t.true(stdout.includes('✔ delivered'));
  t.true(stderr.includes('192.0.2.1 on eth0'));
});

test('what becomes of a packet does not make it fail', async t => {
  const folder = folderWith(t, { 'rules.v4': rules });
  const { code, stdout } = await run(['trace', 'rules.v4', '--packet', 'tcp 198.51.100.7:40000 > 192.0.2.1:23 in eth0'], { cwd: folder });
  t.is(code, 0);
  t.true(stdout.includes('✖ dropped by filter:INPUT:4'));
});

test('JSON is the answer of the scenario and nothing else', async t => {
  const folder = folderWith(t, { 'rules.v4': rules, 's.yaml': `${router}steps:\n  - in: eth1\n    packet: {proto: udp, src: 10.0.0.9, dst: 198.51.100.7, sport: 5, dport: 53}\n` });
  const { code, stdout, stderr } = await run(['trace', 'rules.v4', '--scenario', 's.yaml', '--format', 'json'], { cwd: folder });
  t.is(code, 0);
  t.is(stderr, '');
  const { steps } = parsed(stdout);
  t.deepEqual(Object.keys(parsed(stdout)), ['steps']);
  t.like(steps[0], { path: ['filter:FORWARD:1'], verdict: 'forwarded eth0', by: null });
  t.false('trail' in (steps[0] ?? {}));
});

test('the rules may come with the scenario, or by a pipe', async t => {
  const steps = 'steps:\n  - in: eth0\n    packet: {proto: tcp, src: 192.0.2.9, dst: 192.0.2.1, dport: 22}\n';
  const inside = `${router}rules: |\n${rules.split('\n').map(line => `  ${line}`).join('\n')}\n${steps}`;
  const folder = folderWith(t, { 'with.yaml': inside, 'without.yaml': `${router}${steps}` });
  const alone = await run(['trace', '--scenario', 'with.yaml', '--format', 'json'], { cwd: folder });
  const piped = await run(['trace', '-', '--scenario', 'without.yaml', '--format', 'json'], { cwd: folder, input: rules });
  t.is(alone.stderr, '');
  t.is(parsed(alone.stdout).steps[0]?.verdict, 'delivered');
  t.deepEqual(parsed(piped.stdout), parsed(alone.stdout));
});

test('a conversation goes on as long as its packets arrive', async t => {
  const folder = folderWith(t, { 'rules.v4': rules });
  const whole = await run(['trace', 'rules.v4', '--conversation', 'tcp 198.51.100.7 > 192.0.2.1:22 in eth0'], { cwd: folder });
  t.is(whole.code, 0);
  t.true(whole.stdout.includes('the conversation is whole: all 10 packets arrived'));
  const broken = await run(['trace', 'rules.v4', '--conversation', 'udp 198.51.100.7:5 > 192.0.2.1:53 in eth0'], { cwd: folder });
  t.is(broken.code, 0);
  t.true(broken.stdout.includes('the conversation breaks at packet 1 of 2, the client\'s query: it is dropped by filter:INPUT:4'));
});

test('where a set is unknown, both ways are told', async t => {
  const folder = folderWith(t, { 'rules.v4': rules });
  const { stdout } = await run(['trace', 'rules.v4', '--packet', 'udp 198.51.100.7:5 > 192.0.2.1:53 in eth0', '--unknown', 'both', '--format', 'json'], { cwd: folder });
  const { ways } = JSON.parse(stdout) as { ways: readonly Answer[] };
  t.deepEqual(ways.map(way => way.steps[0]?.verdict).sort(), ['delivered', 'drop']);
});

test('rules that the kernel would not have loaded are not traced', async t => {
  const folder = folderWith(t, { 'rules.v4': withError });
  const { code, stdout, stderr } = await run(['trace', 'rules.v4', '--packet', 'tcp 198.51.100.7 > 192.0.2.1 in eth0'], { cwd: folder });
  t.is(code, 2);
  t.is(stdout, '');
  t.true(stderr.includes('undefined-chain'));
  t.true(stderr.includes('iptables-restore would refuse it'));
});

const mistakes: readonly (readonly [name: string, words: readonly string[], said: string])[] = [
  ['no packets', [], 'no packets: give some with --packet, --conversation or --scenario'],
  ['a word that is wrong', ['--packet', 'tcp 198.51.100.7 > 192.0.2.1 flag S'], 'did you mean `flags`?'],
  ['packets of the other family', ['--packet', 'tcp 2001:db8::1 > 2001:db8::2'], 'the packets are IPv6, and the rules of rules.v4 are for IPv4'],
  ['a scenario that is none', ['--scenario', 'bad.yaml'], 'bad.yaml:1:1'],
  ['a host file that is none', ['--host', 'bad.yaml', '--packet', 'tcp 198.51.100.7 > 192.0.2.1'], 'bad.yaml is no host file'],
  ['a file that is not there', ['--scenario', 'none.yaml'], 'cannot read none.yaml: no such file or directory'],
  ['a conversation without a port', ['--conversation', 'tcp 198.51.100.7 > 192.0.2.1'], 'a conversation needs the port of the server'],
];

for (const [name, words, said] of mistakes) {
  test(`${name}: exit code 2, and a sentence that says what to do`, async t => {
    const folder = folderWith(t, { 'rules.v4': rules, 'bad.yaml': 'stepz: 3\n' });
    const { code, stdout, stderr } = await run(['trace', 'rules.v4', ...words], { cwd: folder });
    t.is(code, 2);
    t.is(stdout, '');
    t.true(stderr.includes(said), stderr);
    t.false(stderr.includes('bug in iptables-lint'));
  });
}
