import test from 'ava';
import { load } from '../../../analyzer/model/load.js';
import { createHost } from '../../../analyzer/netfilter/engine.js';
import type { HostDescription } from '../../../analyzer/netfilter/host/host.js';
import { arrivalOf } from '../../../analyzer/netfilter/scenario/arrival.js';
import { assumedHost } from '../../../analyzer/netfilter/scenario/assumed-host.js';
import { setupOf } from '../../../analyzer/netfilter/scenario/host-setup.js';
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';

const setup = {
  interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }, { name: 'eth1', addresses: ['10.0.0.1/8'] }],
  routes: ['default via 192.0.2.254 dev eth0', '172.16.0.0/12 via 10.0.0.2 dev eth1', '198.51.100.0/24 dev eth1 table 100'],
};

test('a packet comes from where its source is', t => {
  const from = (src: string): string => arrivalOf({ proto: 'tcp', src, dst: '192.0.2.1' }, 'ipv4', setup);
  t.is(from('192.0.2.1'), 'local');
  t.is(from('192.0.2.7'), 'eth0');
  t.is(from('10.1.2.3'), 'eth1');
  t.is(from('172.20.0.1'), 'eth1');
  t.is(from('198.51.100.7'), 'eth0');
  t.is(arrivalOf({ proto: 'tcp', src: '203.0.113.1' }, 'ipv4', { interfaces: setup.interfaces }), 'eth0');
});

test('where the host is not described, what arrives is for it, and what it sends has its address', t => {
  const assumed = assumedHost([
    { in: 'eth7', packet: { proto: 'tcp', src: '198.51.100.7', dst: '192.0.2.1' } },
    { in: 'local', packet: { proto: 'tcp', src: '192.0.2.1', dst: '198.51.100.7' } },
    { in: 'local', packet: { proto: 'udp', src: '192.0.2.2', dst: '224.0.0.1' } },
  ], 'ipv4');
  t.deepEqual(assumed.setup, { interfaces: [{ name: 'eth7', addresses: ['192.0.2.1/32', '192.0.2.2/32'] }], routes: ['default dev eth7'] });
  t.is(assumed.said, '192.0.2.1, 192.0.2.2 on eth7');
});

test('who is looked for by the group of an address has it', t => {
  const assumed = assumedHost([{ in: 'eth0', packet: { proto: 'icmpv6', src: 'fe80::2', dst: 'ff02::1:ff12:3456', type: 135, code: 0 } }, { in: 'eth0', packet: { proto: 'udp', src: 'fe80::2', dst: 'ff02::1:2' } }], 'ipv6');
  t.deepEqual(assumed.setup.interfaces, [{ name: 'eth0', addresses: ['fe80::12:3456/128'] }]);
  const { rulesets: [rules] } = load({ path: 'x', text: '*filter\n:INPUT DROP [0:0]\nCOMMIT\n' }, { family: 'ipv6' });
  if (rules === undefined) throw new Error('no rules');
  const { verdict, by } = createHost(rules, assumed.setup).send({ in: 'eth0', packet: { proto: 'icmpv6', src: 'fe80::2', dst: 'ff02::1:ff12:3456', type: 135, code: 0, ttl: 255 } });
  t.deepEqual([verdict, by], ['drop', 'filter:INPUT:policy']);
});

const host: HostDescription = {
  interfaces: [
    { name: 'lo', kind: 'loopback', addresses: ['127.0.0.1/8'], mtu: 65536 },
    { name: 'eth0', mac: '02:00:00:00:00:01', mtu: 1500, addresses: [{ address: '192.0.2.1/24' }, '2001:db8::1/64'] },
    { name: 'eth1', addresses: ['10.0.0.1/24'] },
  ],
  routes: {
    ipv4: [{ dst: 'default', gateway: '192.0.2.254', dev: 'eth0', protocol: 'static', flags: [] }, '172.16.0.0/12 via 10.0.0.2 dev eth1'],
    ipv6: [{ dst: 'default', gateway: '2001:db8::fe', dev: 'eth0' }],
  },
  sysctls: { 'net.ipv4.ip_forward': '1', 'net.ipv4.tcp_congestion_control': 'cubic' },
};

test('a host file is the setup of a host, each family by itself', t => {
  const four = setupOf(host, 'ipv4');
  t.deepEqual(four.sysctls, { 'net.ipv4.ip_forward': 1 });
  t.is(four.routes?.length, 2);
  t.is(arrivalOf({ proto: 'tcp', src: '192.0.2.1' }, 'ipv4', four), 'local');
  t.is(arrivalOf({ proto: 'tcp', src: '172.20.0.1' }, 'ipv4', four), 'eth1');
  t.is(arrivalOf({ proto: 'tcp', src: '2001:db8:9::1' }, 'ipv6', setupOf(host, 'ipv6')), 'eth0');
});

test('packets travel through the host of a host file', t => {
  const rules = load({ path: 'rules', text: '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A FORWARD -o eth1 -j ACCEPT\nCOMMIT\n' }).rulesets;
  const [ruleset] = rules;
  if (ruleset === undefined) throw new Error('no rules');
  const answer = createHost(ruleset, setupOf(host, 'ipv4')).send({ in: 'eth0', packet: { proto: 'tcp', src: '192.0.2.9', dst: '172.20.0.1', sport: 1, dport: 2 } });
  t.like(answer, { path: ['filter:FORWARD:1'], verdict: 'forwarded eth1' });
});

test('what only a host file can say reaches the rules: groups, MTUs, interfaces that are down, the order of routing rules, sockets, the time zone', t => {
  const described: HostDescription = {
    timeZoneOffset: 3600,
    interfaces: [
      { name: 'eth0', index: 7, group: 5, addresses: ['192.0.2.1/24'] },
      { name: 'eth1', mtu: 1000, addresses: [{ address: '10.0.0.1/24', scope: 'link' }] },
      { name: 'eth2', up: false, addresses: ['10.2.0.1/24'] },
    ],
    routes: { ipv4: ['172.16.0.0/12 via 10.0.0.2 dev eth1', 'blackhole 172.16.0.0/12 table 100', '10.3.0.0/24 dev eth2'] },
    rules: { ipv4: [{ priority: 0, src: 'all', table: 'local' }, { priority: 10, src: '192.0.2.66', table: '100' }, { priority: 32766, src: 'all', table: 'main' }] },
    sockets: [{ protocol: 'udp', address: '192.0.2.1', port: 53 }],
  };
  const text = ['*mangle', ':PREROUTING ACCEPT [0:0]', '-A PREROUTING -m devgroup --src-group 5', '-A PREROUTING -m socket', '-A PREROUTING -m time --kerneltz --timestart 01:00:00 --timestop 01:30:00', 'COMMIT', ''].join('\n');
  const [ruleset] = load({ path: 'rules', text }).rulesets;
  if (ruleset === undefined) throw new Error('no rules');
  const traced = createHost(ruleset, setupOf(described, 'ipv4'));
  const fate = (packet: Partial<ScenarioPacket>): string => {
    const { verdict, by } = traced.send({ in: 'eth0', packet: { proto: 'udp', src: '192.0.2.9', dst: '172.20.0.1', sport: 1, dport: 2, ...packet } });
    return by ?? verdict;
  };
  t.is(fate({}), 'forwarded eth1');
  t.is(fate({ src: '192.0.2.66' }), 'kernel: blackhole');
  t.is(fate({ payload_len: 1000, df: true }), 'kernel: mtu');
  t.is(fate({ dst: '10.3.0.1' }), 'kernel: no route');
  t.deepEqual(traced.send({ in: 'eth0', packet: { proto: 'udp', src: '192.0.2.9', dst: '192.0.2.1', sport: 1, dport: 53 } }).path,
    ['mangle:PREROUTING:1', 'mangle:PREROUTING:2', 'mangle:PREROUTING:3', 'mangle:PREROUTING:policy']);
});
