import test from 'ava';
import { readHost } from '../../../analyzer/netfilter/host/host.js';
import { readRoute } from '../../../analyzer/netfilter/host/route-words.js';
import { defaultRules, readRule, ruleList } from '../../../analyzer/netfilter/host/rule-words.js';
import type { RoutingRule } from '../../../analyzer/netfilter/host/route.js';
import { Sysctls } from '../../../analyzer/netfilter/host/sysctls.js';

test('a host file that is as documented is taken', t => {
  const { host, problems } = readHost({
    interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', addresses: ['192.0.2.1/24', { address: '10.0.0.1/24', scope: 'global' }] }],
    routes: { ipv4: ['default via 192.0.2.254', { dst: '10.0.0.0/8', dev: 'eth0' }] }, sysctls: { 'net.ipv4.ip_forward': 1 },
    ruleSets: [{ family: 'ipv4', backend: 'nft', text: '*filter\nCOMMIT\n' }],
  });
  t.is(problems, undefined);
  t.is(host?.interfaces?.[0]?.name, 'eth0');
});

test('a host file that is not says where it is wrong', t => {
  t.deepEqual(readHost({ interfaces: [{ name: 'eth0', mac: 'x' }] }).problems, ['interfaces.0.mac: must be an Ethernet address, as 02:00:00:00:00:01']);
  t.regex(readHost({ interfaces: [{ name: 'eth0', adresses: [] }] }).problems?.[0] ?? '', /^interfaces\.0\.adresses: /u);
  t.regex(readHost({ routes: { ipv4: [7] } }).problems?.[0] ?? '', /^routes\.ipv4\.0: must be words/u);
  t.deepEqual(readHost({ interfaces: [{ name: 'eth0' }, { name: 'eth0' }] }).problems, ['interfaces: two interfaces have the same name']);
  t.regex(readHost([]).problems?.[0] ?? '', /^the file: /u);
});

test('a route means the same in words, in JSON, and in JSON with numbers', t => {
  const words = readRoute('10.0.0.0/8 via 192.0.2.2 dev eth0 table local metric 5 src 192.0.2.1 proto kernel scope link mtu 1400', 'ipv4');
  const json = { dst: '10.0.0.0/8', gateway: '192.0.2.2', dev: 'eth0', metric: 5, prefsrc: '192.0.2.1', flags: [], metrics: [{ mtu: 1400 }] };
  t.deepEqual(readRoute({ ...json, table: 'local', protocol: 'kernel', scope: 'link' }, 'ipv4'), words);
  t.deepEqual(readRoute({ ...json, table: '255', protocol: '2', scope: '253', type: '1' }, 'ipv4'), words);
});

test('a multipath route means the same in words and in JSON', t => {
  const words = readRoute('default \\\tnexthop via 192.0.2.2 dev eth0 weight 2 \\\tnexthop via 192.0.2.3 dev eth1 weight 1 onlink', 'ipv4');
  t.deepEqual(readRoute({ dst: 'default', nexthops: [{ gateway: '192.0.2.2', dev: 'eth0', weight: 2, flags: [] }, { gateway: '192.0.2.3', dev: 'eth1', weight: 1, flags: ['onlink'] }] }, 'ipv4'), words);
});

test('a rule means the same in words, in JSON, and in JSON with numbers', t => {
  const words = readRule('7: not from 10.0.0.0/8 to 1.2.3.4 iif eth0 tos 0x10 fwmark 0x1/0xff ipproto tcp sport 1-5 dport 80 uidrange 0-10 lookup 5', 'ipv4');
  const json = { priority: 7, not: null, src: '10.0.0.0', srclen: 8, dst: '1.2.3.4', tos: '0x10', fwmark: '0x1', fwmask: '0xff', iif: 'eth0', iif_detached: null, uid_start: 0, uid_end: 10, sport_start: 1, sport_end: 5, dport: 80, table: '5' };
  t.deepEqual(readRule({ ...json, ipproto: 'tcp' }, 'ipv4'), words);
  t.deepEqual(readRule({ ...json, ipproto: 'ipproto-6' }, 'ipv4'), words);
  t.like(readRule({ priority: 9, src: 'all', action: '8' }, 'ipv4'), { priority: 9, action: { kind: 'prohibit' } });
});

test('rules that are added come before those that are there; a listing is all there is', t => {
  const read = (words: readonly string[]): readonly RoutingRule[] => ruleList(words, words.map(one => readRule(one, 'ipv4') as RoutingRule), 'ipv4');
  t.deepEqual(read([]), defaultRules('ipv4'));
  t.deepEqual(read(['fwmark 1 table 1', 'fwmark 2 table 2', 'pref 40000 table 3']).map(rule => rule.priority), [0, 32764, 32765, 32766, 32767, 40000]);
  t.deepEqual(read(['0: from all lookup local', '5: from all lookup 9']).map(rule => rule.priority), [0, 5]);
});

test('switches of all interfaces and of one are put together as the kernel does', t => {
  const sysctls = new Sysctls({ 'net.ipv4.conf.all.rp_filter': 1, 'net.ipv4.conf.eth0.rp_filter': 2, 'net.ipv4.conf.eth0/5.accept_local': 1, 'net.ipv4.conf.eth0.forwarding': 1, 'net.ipv4.ip_forward': 0 });
  t.is(sysctls.device4('eth0').rpFilter, 2);
  t.is(sysctls.device4('eth1').rpFilter, 1);
  t.true(sysctls.device4('eth0.5').acceptLocal);
  t.false(sysctls.device4('eth0').acceptSourceRoute);
  t.true(sysctls.device4('eth0').forwarding);
  t.false(sysctls.device4('eth1').forwarding);
  t.is(sysctls.get('net.ipv4.ip_default_ttl'), 64);
  t.is(sysctls.get('net/netfilter/nf_conntrack_tcp_loose'), 1);
});
