import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readSysctls } from '../../cli/collect/describe-host.js';
import { readInterfaces } from '../../cli/collect/read-interfaces.js';
import { readSockets } from '../../cli/collect/read-sockets.js';
import { readHost, type HostDescription } from '../../analyzer/netfilter/host/host.js';
import { Interfaces } from '../../analyzer/netfilter/host/interfaces.js';
import { Routing } from '../../analyzer/netfilter/host/routing.js';
import { Sysctls } from '../../analyzer/netfilter/host/sysctls.js';
import { reasonToSkip } from '../kernel/real-iptables.js';
import { udp } from '../netfilter/host/packets.js';
import { folderWith, run } from './run.js';

const onKernel = reasonToSkip() === undefined ? test : test.skip;
const systemPath = { ...process.env, PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

test('--dry-run prints what would be run, and runs nothing', async t => {
  const { code, stdout, stderr } = await run(['collect', '--dry-run'], { env: { PATH: '/nowhere' } });
  t.is(code, 0);
  t.is(stderr, '');
  t.regex(stdout, /^ip -N -j -d address$/mu);
  t.regex(stdout, /^iptables-nft-save {2}# needs root$/mu);
  t.regex(stdout, /^iptables-legacy-save {2}# needs root; only where the file above names a table$/mu);
});

test('--dry-run shows how a namespace or a container is entered', async t => {
  t.regex((await run(['collect', '--dry-run', '--netns', 'my net'])).stdout, /^ip netns exec 'my net' ss -H -lntupe {2}# needs root$/mu);
  t.regex((await run(['collect', '--dry-run', '--pid', '42'])).stdout, /^nsenter -t 42 -n conntrack -L -f ipv6 {2}# needs root$/mu);
});

test('a namespace and a process are not both meant', async t => {
  const { code, stderr } = await run(['collect', '--netns', 'a', '--pid', '1']);
  t.is(code, 2);
  t.true(stderr.includes('--pid'));
});

test('programs that are not there cost a note each, and not the file', async t => {
  const folder = folderWith(t, {});
  const { code, stdout } = await run(['collect'], { cwd: folder, env: { PATH: folder } });
  const { host, problems } = readHost(JSON.parse(stdout));
  t.is(code, 0);
  t.is(problems, undefined);
  t.truthy(host);
});

/** A namespace with two addresses, a gateway, a rule of its own and rules in both backends. */
function namespace(t: ExecutionContext): string {
  const name = `ipl-${randomUUID().slice(0, 8)}`;
  const ip = (...words: string[]): void => { execFileSync('ip', words, { env: systemPath }); };
  const inside = (...words: string[]): void => { ip('netns', 'exec', name, ...words); };
  ip('netns', 'add', name);
  t.teardown(() => { ip('netns', 'del', name); });
  inside('ip', 'link', 'set', 'lo', 'up');
  inside('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1');
  for (const device of ['eth0', 'eth1']) inside('ip', 'link', 'set', device, 'up');
  inside('ip', 'addr', 'add', '192.0.2.1/24', 'dev', 'eth0');
  inside('ip', 'addr', 'add', '2001:db8::1/64', 'dev', 'eth0', 'nodad');
  inside('ip', 'route', 'add', 'default', 'via', '192.0.2.254', 'mtu', '1400');
  inside('ip', 'rule', 'add', 'fwmark', '7', 'prohibit');
  inside('sysctl', '-q', 'net.ipv4.ip_forward=1');
  inside('iptables-nft', '-A', 'INPUT', '-p', 'tcp', '--dport', '22', '-j', 'ACCEPT');
  inside('iptables-legacy', '-t', 'mangle', '-A', 'FORWARD', '-j', 'MARK', '--set-mark', '1');
  inside('ipset', 'create', 'web', 'hash:ip');
  return name;
}

function checkCollected(t: ExecutionContext, text: string): void {
  const { host, problems } = readHost(JSON.parse(text));
  t.is(problems, undefined);
  const { interfaces = [], routes, rules, ruleSets = [], sysctls = {}, ipsets } = host as HostDescription;
  t.deepEqual(interfaces.map(one => [one.name, one.kind]), [['lo', 'loopback'], ['eth1', 'veth'], ['eth0', 'veth']]);
  t.true(interfaces.some(one => one.addresses?.some(given => typeof given === 'object' && given.address === '192.0.2.1/24')));
  t.deepEqual(ruleSets.map(one => [one.family, one.backend]), [['ipv4', 'nft'], ['ipv4', 'legacy']]);
  t.regex(ruleSets[0]?.text ?? '', /^-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT$/mu);
  t.false(ruleSets[1]?.text.includes('*filter'), 'no table is loaded by being read');
  t.regex(ipsets ?? '', /^create web hash:ip/mu);
  const routing = new Routing({ family: 'ipv4', interfaces: new Interfaces(interfaces), sysctls: new Sysctls(sysctls), routes: routes?.ipv4 ?? [], rules: rules?.ipv4 ?? [] });
  t.deepEqual(routing.problems, []);
  t.like(routing.input(udp({ in: 'eth0', src: '192.0.2.7', dst: '203.0.113.1' })), { kind: 'forward', out: 'eth0', mtu: 1400 });
  t.like(routing.input(udp({ in: 'eth0', src: '192.0.2.7', dst: '203.0.113.1', mark: 7 })), { kind: 'drop', reason: 'prohibit' });
}

onKernel('a namespace is read from outside, and what it says routes packets', async t => {
  const folder = folderWith(t, {});
  const { code, stdout, stderr } = await run(['collect', '--netns', namespace(t), '--output', join(folder, 'host.json')]);
  t.is(stderr, '');
  t.is(code, 0);
  t.is(stdout, '');
  t.is(statSync(join(folder, 'host.json')).mode & 0o777, 0o600);
  checkCollected(t, readFileSync(join(folder, 'host.json'), 'utf8'));
});

onKernel('the network of a process is read from outside', async t => {
  const child = spawn('ip', ['netns', 'exec', namespace(t), 'sleep', '60'], { env: systemPath });
  t.teardown(() => child.kill());
  await once(child, 'spawn');
  // `ip netns exec` enters the namespace before it becomes `sleep`.
  while (readFileSync(`/proc/${String(child.pid)}/comm`, 'utf8') !== 'sleep\n') await new Promise(resolve => setTimeout(resolve, 5));
  const { code, stdout } = await run(['collect', '--pid', String(child.pid)]);
  t.is(code, 0);
  checkCollected(t, stdout);
});

onKernel('a namespace that is not there is said so', async t => {
  const { code, stderr } = await run(['collect', '--netns', 'not-there']);
  t.is(code, 2);
  t.regex(stderr, /cannot enter the namespace not-there/u);
});

test('sockets are read with their interfaces, owners and programs', t => {
  const text = [
    'tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    users:(("sshd",pid=1,fd=3)) ino:10 sk:1 <->',
    'udp   UNCONN 0      0      127.0.0.53%lo:53        0.0.0.0:*    users:(("systemd-resolve",pid=2,fd=3)) uid:101 ino:11 sk:2 <->',
    'tcp   LISTEN 0      511             [::]:80           [::]:*    uid:33 ino:12 sk:3 v6only:1 <->',
    'udp   UNCONN 0      0                  *:5353            *:*    ino:13 sk:4 <->',
  ].join('\n');
  t.deepEqual(readSockets(text), [
    { protocol: 'tcp', address: '0.0.0.0', port: 22, uid: 0, process: 'sshd' },
    { protocol: 'udp', address: '127.0.0.53', port: 53, interface: 'lo', uid: 101, process: 'systemd-resolve' },
    { protocol: 'tcp', address: '::', port: 80, uid: 33 },
    { protocol: 'udp', address: '*', port: 5353, uid: 0 },
  ]);
});

test('a TAP has Ethernet frames, a TUN has none', t => {
  const common = { flags: ['UP'], mtu: 1500, address: '02:00:00:00:00:01', addr_info: [] };
  const read = readInterfaces([
    { ...common, ifindex: 2, ifname: 'tap0', link_type: 'ether', linkinfo: { info_kind: 'tun', info_data: { type: 'tap' } } },
    { ...common, ifindex: 3, ifname: 'tun0', link_type: 'none', linkinfo: { info_kind: 'tun', info_data: { type: 'tun' } } },
  ], []);
  t.deepEqual(read.map(one => [one.name, one.kind, one.mac]), [['tap0', 'ethernet', '02:00:00:00:00:01'], ['tun0', 'tun', undefined]]);
});

test('switches that are no single number, and secrets, are left out', t => {
  t.deepEqual(readSysctls('net.ipv4.ip_forward = 1\nnet.ipv4.tcp_rmem = 1 2 3\nnet.ipv6.conf.eth0.stable_secret = 2001::\nnet.ipv4.neigh.eth0.ucast_solicit = 3\nkernel.x = 1\n'), { 'net.ipv4.ip_forward': 1 });
});
