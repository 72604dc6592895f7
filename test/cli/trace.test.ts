import test from 'ava';
import { folderWith, run, open, withError } from './run.js';

const rules = open(
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

test('a packet that is dropped is told which rule it missed by one thing', async t => {
  const near = open('-A INPUT -i lo -j ACCEPT', '-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT', '-A INPUT -j office', '-A INPUT -p tcp -j REJECT --reject-with tcp-reset', '-A office -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -m limit --limit 1/sec -j ACCEPT')
    .replace(':OUTPUT', ':office - [0:0]\n:OUTPUT');
  const folder = folderWith(t, { 'rules.v4': near });
  const { stdout } = await run(['trace', 'rules.v4', '--packet', 'tcp 198.51.100.7:40000 > 192.0.2.1:22 in eth0'], { cwd: folder });
  t.deepEqual(stdout.match(/near miss: .*/gu), ['near miss: filter:office:1 (line 10) would accept it, but for -s 10.0.0.0/8']);
});

test('where a packet goes stands beside the chains that it passes', async t => {
  const folder = folderWith(t, { 'rules.v4': rules, 's.yaml': `${router}steps:\n  - {in: eth1, packet: {proto: udp, src: 10.0.0.9, dst: 198.51.100.7, dport: 53}}\n` });
  const { stdout } = await run(['trace', 'rules.v4', '--scenario', 's.yaml'], { cwd: folder });
  t.regex(stdout, /^ {2}filter FORWARD eth1 → eth0 {2}NEW$/mu);
});

test('interfaces that the rules name and an assumed host lacks are said', async t => {
  const folder = folderWith(t, { 'rules.v4': rules });
  const { stderr } = await run(['trace', 'rules.v4', '--packet', 'tcp 198.51.100.7:40000 > 192.0.2.1:22 in eth0'], { cwd: folder });
  t.true(stderr.includes('192.0.2.1 on eth0, and no eth1, which the rules name;'), stderr);
});

test('each way says what it hangs on, and says it once', async t => {
  const folder = folderWith(t, { 'rules.v4': rules });
  const words = ['trace', 'rules.v4', '--packet', 'udp 198.51.100.7:5 > 192.0.2.1:53 in eth0'];
  const both = await run([...words, '--unknown', 'both'], { cwd: folder });
  t.regex(both.stdout, /^way 1 of 2\n {2}if not filter:INPUT:3 matches: what is in the set friends\n/u);
  t.false(both.stdout.includes('unknown:'));
  const one = await run(words, { cwd: folder });
  t.true(one.stdout.includes('unknown: whether filter:INPUT:3 match; --unknown both tells all ways'));
});

test('the time is the one that is given, else that of the host', async t => {
  const host = { collected: '2026-03-01T12:00:00Z', interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }] };
  const folder = folderWith(t, { 'rules.v4': open('-A INPUT -m time --datestart 2026-03-01T11:00:00 --datestop 2026-03-01T13:00:00 -j DROP'), 'host.json': JSON.stringify(host) });
  const words = ['trace', 'rules.v4', '--host', 'host.json', '--packet', 'tcp 192.0.2.7 > 192.0.2.1', '--format', 'json'];
  t.is(parsed((await run(words, { cwd: folder })).stdout).steps[0]?.verdict, 'drop');
  t.is(parsed((await run([...words, '--at', '2026-03-02T12:00Z'], { cwd: folder })).stdout).steps[0]?.verdict, 'delivered');
});

test('a host has its rules with it; of two backends one is traced, and that is said', async t => {
  const sets = (['nft', 'legacy'] as const).map(backend => ({ family: 'ipv4', backend, text: open(`-A INPUT -j ${backend === 'nft' ? 'DROP' : 'ACCEPT'}`) }));
  const folder = folderWith(t, { 'host.json': JSON.stringify({ interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }], routes: { ipv4: [{ type: 'strange' }] }, ruleSets: sets }) });
  const words = ['trace', '--host', 'host.json', '--packet', 'tcp 192.0.2.7 > 192.0.2.1', '--format', 'json'];
  const nft = await run(words, { cwd: folder });
  t.is(parsed(nft.stdout).steps[0]?.verdict, 'drop');
  t.true(nft.stderr.includes('--backend legacy has the others'));
  t.true(nft.stderr.includes('left out of the host: '));
  t.is(parsed((await run([...words, '--backend', 'legacy'], { cwd: folder })).stdout).steps[0]?.verdict, 'delivered');
});

test('a host file without the rules that are asked for is named as what lacks them', async t => {
  const folder = folderWith(t, { 'host.json': JSON.stringify({ ruleSets: [{ family: 'ipv4', backend: 'nft', text: '*filter\nCOMMIT\n' }] }) });
  const stderrOf = async (...words: readonly string[]): Promise<string> => (await run(['trace', ...words], { cwd: folder })).stderr;
  t.regex(await stderrOf('--host', 'host.json', '--packet', 'udp 2001:db8::1 > 2001:db8::2:53'), /the host file holds no rules of ipv6: name a file/u);
  t.regex(await stderrOf('--host', 'host.json', '--backend', 'legacy', '--packet', 'udp 192.0.2.1 > 192.0.2.2:53'), /holds no rules of ipv4 for legacy/u);
  t.regex(await stderrOf('--packet', 'udp 192.0.2.1 > 192.0.2.2:53'), /^iptables-lint: no rules: name a file/u);
});

test('a host file that says nothing of interfaces is as good as none', async t => {
  const folder = folderWith(t, { 'rules.v4': rules, 'host.json': '{}' });
  const { code, stdout } = await run(['trace', 'rules.v4', '--host', 'host.json', '--packet', 'tcp 198.51.100.7:40000 > 192.0.2.1:22 in eth0'], { cwd: folder });
  t.is(code, 0);
  t.true(stdout.includes('✔ delivered'));
});

test('who gets a packet is said where the host file knows, and that nobody does', async t => {
  const host = { interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }], sockets: [{ protocol: 'tcp', address: '0.0.0.0', port: 22, process: 'sshd' }, { protocol: 'udp', address: '127.0.0.53', port: 53 }] };
  const folder = folderWith(t, { 'rules.v4': open('-A INPUT -p icmp -j DROP'), 'host.json': JSON.stringify(host) });
  const { stdout } = await run(['trace', 'rules.v4', '--host', 'host.json', '--packet', 'tcp 192.0.2.7 > 192.0.2.1:22', '--packet', 'udp 192.0.2.7 > 192.0.2.1:53', '--packet', 'tcp 192.0.2.7 > 192.0.2.1:22 flags A'], { cwd: folder });
  t.deepEqual(stdout.match(/listener: .*/gu), ['listener: sshd listens on 0.0.0.0:22', 'listener: nobody listens on udp port 53: the host answers with port unreachable']);
});

test('a thousand packets are traced one after the other', async t => {
  const steps = Array.from({ length: 1000 }, (_, index) => ({ in: 'eth0', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1', sport: 1024 + index, dport: 22 } }));
  const folder = folderWith(t, { 'rules.v4': rules, 's.json': JSON.stringify({ interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }], routes: ['default dev eth0'], steps }) });
  const { code, stdout } = await run(['trace', 'rules.v4', '--scenario', 's.json'], { cwd: folder });
  t.is(code, 0);
  t.is(stdout.match(/✔ delivered/gu)?.length, 1000);
});

test('rules do not speak to the terminal, and NO_COLOR is heard', async t => {
  const evil = open('-A INPUT -p tcp -m comment --comment "\u001b[2J\u202e" -j DROP');
  const folder = folderWith(t, { 'rules.v4': evil });
  const { stdout } = await run(['trace', 'rules.v4', '--packet', 'tcp 198.51.100.7 > 192.0.2.1 in eth0'], { cwd: folder, env: { NO_COLOR: '1' } });
  t.false(/[\u001b\u202e]/u.test(stdout));
  t.true(stdout.includes('dropped by filter:INPUT:1'));
});

test('bytes that are no scenario are refused in a few lines', async t => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, index) => (index * 7919 + (index >> 3)) & 0xff);
  const folder = folderWith(t, { 'rules.v4': rules, 'noise.yaml': bytes, 'keys.yaml': '? [a]\n: 1\n' });
  for (const name of ['noise.yaml', 'keys.yaml']) {
    const { code, stdout, stderr } = await run(['trace', 'rules.v4', '--scenario', name], { cwd: folder });
    t.is(code, 2);
    t.is(stdout, '');
    t.true(stderr.length < 2000, stderr);
    t.false(stderr.includes('Warning'));
  }
});

const wrongHosts: readonly (readonly [text: string, place: string, message: string])[] = [
  ['{"interfaces": 5}', '1:16', '`interfaces` must be a list, and is 5'],
  ['{\n\t"ruleSetz": []}', '2:2', 'unknown key `ruleSetz` in the host: did you mean `ruleSets`?'],
  ['{"interfaces": [{"name": "lo"},\n {"mtu": 7}]}', '2:2', 'the interface lacks `name`'],
  ['{"interfaces": [{"name": "eth0", "addresses": [{"address": 7}]}]}', '1:60', '`interfaces[0].addresses[0].address` must be text, and is 7: put it in quotes'],
  ['{"routes": {"ipv4": [7]}}', '1:22', '`routes.ipv4[0]` must be words, as `ip route` and `ip rule` take them, or an object that `ip -j` printed, and is 7'],
  ['{"ruleSets": [{"family": "ipv5", "backend": "nft", "text": ""}]}', '1:26', '`ipv5` is no family: did you mean `ipv4`?'],
  ['{"collected": "now"}', '1:15', '`collected` must be a time of ISO 8601, as 2026-01-31T23:30:00Z'],
];

for (const [text, place, message] of wrongHosts) {
  test(`a host file that is none is refused with its place: ${text}`, async t => {
    const folder = folderWith(t, { 'rules.v4': rules, 'web.host.json': text });
    const line = `web.host.json is no host file: line ${place.replace(':', ', column ')}: ${message}`;
    for (const words of [['trace', 'rules.v4', '--packet', 'tcp 198.51.100.7 > 192.0.2.1'], ['fuzz', 'rules.v4']]) {
      const { code, stderr } = await run([...words, '--host', 'web.host.json'], { cwd: folder });
      t.is(code, 2);
      t.true(stderr.includes(`--> web.host.json:${place}\n`) && stderr.endsWith(`\niptables-lint: ${line}\n`), stderr);
    }
    for (const words of [['rules.v4', '--host', 'web.host.json'], ['.']]) {
      const { code, stderr } = await run(words, { cwd: folder });
      t.deepEqual([code, stderr], [2, `iptables-lint: ${line}\n`]);
    }
  });
}

const mistakes: readonly (readonly [name: string, words: readonly string[], said: string])[] = [
  ['no packets', [], 'no packets: give some with --packet, --conversation or --scenario'],
  ['a word that is wrong', ['--packet', 'tcp 198.51.100.7 > 192.0.2.1 flag S'], 'did you mean `flags`?'],
  ['packets of the other family', ['--packet', 'tcp 2001:db8::1 > 2001:db8::2'], 'the packets are IPv6, and the rules of rules.v4 are for IPv4'],
  ['a scenario that is none', ['--scenario', 'bad.yaml'], 'bad.yaml:1:1'],
  ['a host file that is none', ['--host', 'bad.yaml', '--packet', 'tcp 198.51.100.7 > 192.0.2.1'], 'bad.yaml is no host file'],
  ['a file that is not there', ['--scenario', 'none.yaml'], 'cannot read none.yaml: no such file or directory'],
  ['a conversation without a port', ['--conversation', 'tcp 198.51.100.7 > 192.0.2.1'], 'a conversation needs the port of the server'],
  ['a route that is none', ['--scenario', 'route.yaml'], 'the host cannot be so: route `defualt via 192.0.2.254`'],
  ['an address that is none', ['--scenario', 'address.yaml'], '`192.0.2.1/99` is not an address with a prefix length'],
  ['an interface that the host lacks', ['--scenario', 'interface.yaml'], 'the host has no interface `eth2`: did you mean `eth0`?'],
  ['packets of two families', ['--packet', 'tcp 198.51.100.7 > 192.0.2.1', '--packet', 'tcp 2001:db8::1 > 2001:db8::2'], '`2001:db8::1` is an IPv6 address in an IPv4 rule set'],
  ['a host file with an unknown key', ['--host', 'host.json', '--packet', 'tcp 198.51.100.7 > 192.0.2.1'], 'unknown key `adresses` in the interface: did you mean `addresses`?'],
  ['a time that is none', ['--at', 'tomorrow', '--packet', 'tcp 198.51.100.7 > 192.0.2.1'], 'It must be a time, as 2026-01-31T23:30Z; see iptables-lint trace --help'],
  ['an empty scenario', ['--scenario', 'empty.yaml'], 'must be an object'],
  ['a scenario without packets', ['--scenario', 'none.json'], 'no packets'],
  ['a file too many', ['rules.v4', '--packet', 'tcp 198.51.100.7 > 192.0.2.1'], 'too many arguments'],
];

for (const [name, words, said] of mistakes) {
  test(`${name}: exit code 2, and a sentence that says what to do`, async t => {
    const packet = '{in: eth0, packet: {proto: tcp, src: 192.0.2.9, dst: 192.0.2.1}}';
    const folder = folderWith(t, {
      'rules.v4': rules, 'bad.yaml': 'stepz: 3\n', 'empty.yaml': '', 'none.json': '{"steps": []}', 'host.json': '{"interfaces": [{"name": "eth0", "adresses": []}]}',
      'route.yaml': `interfaces: [{name: eth0, addresses: [192.0.2.1/24]}]\nroutes: [defualt via 192.0.2.254]\nsteps: [${packet}]\n`,
      'address.yaml': `interfaces: [{name: eth0, addresses: [192.0.2.1/99]}]\nsteps: [${packet}]\n`,
      'interface.yaml': `interfaces: [{name: eth0, addresses: [192.0.2.1/24]}]\nsteps: [${packet.replace('eth0', 'eth2')}]\n`,
    });
    const { code, stdout, stderr } = await run(['trace', 'rules.v4', ...words], { cwd: folder });
    t.is(code, 2);
    t.is(stdout, '');
    t.true(stderr.includes(said), stderr);
    t.false(stderr.includes('bug in iptables-lint'));
  });
}

test('what a script says in commands that are not analyzed is missing from a trace, which is told and no success', async t => {
  const { code, stdout, stderr } = await run(['trace', '-', '--packet', 'tcp 198.51.100.7:40000 > 192.0.2.1:25 in eth0'], { input: 'iptables -P INPUT DROP\niptables -A INPUT -p tcp --dport $port -j ACCEPT\n' });
  t.is(code, 2);
  t.regex(stdout, /dropped by the policy of filter INPUT/u);
  t.regex(stderr, /^warning\[skipped-line\]/u);
});
