import test from 'ava';
import { load } from '../../analyzer/model/load.js';
import { emptyRuleset } from '../../analyzer/model/ruleset.js';
import { createHost, type Host, type HostSetup } from '../../analyzer/netfilter/engine.js';
import { InetPeers } from '../../analyzer/netfilter/replies/inet-peers.js';
import type { ScenarioPacket } from '../../analyzer/netfilter/scenario.js';
import type { Family } from '../../analyzer/values/value.js';

const setups: Readonly<Record<Family, HostSetup>> = {
  ipv4: {
    interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24'] }, { name: 'eth1', addresses: ['10.0.0.1/24'], mtu: 1400 }],
    routes: ['default via 192.0.2.254 dev eth0', '172.16.0.0/12 via 10.0.0.2 dev eth1 mtu 1300', '172.20.0.0/16 via 10.0.0.3 dev eth1'],
  },
  ipv6: { interfaces: [{ name: 'eth0', addresses: ['2001:db8:1::1/64'] }, { name: 'eth1', addresses: ['2001:db8:2::1/64'] }] },
};

function hostWith(text: string, family: Family = 'ipv4', sysctls: HostSetup['sysctls'] = {}): Host {
  const [ruleset = emptyRuleset(family)] = load({ path: 'rules', text }, { family, backend: 'nft' }).rulesets;
  return createHost(ruleset, { ...setups[family], sysctls });
}

test('a packet that goes back by the way it came gets its sender told of the gateway', t => {
  const packet: ScenarioPacket = { proto: 'udp', src: '192.0.2.7', dst: '203.0.113.9', sport: 1, dport: 2, ttl: 64 };
  const { verdict, generated } = hostWith('').send({ in: 'eth0', packet });
  t.is(verdict, 'forwarded eth0');
  t.like(generated[0]?.packet, { proto: 'icmp', type: 5, code: 1, src: '192.0.2.1', dst: '192.0.2.7', rest: 0xc000_02fe, quote: { ttl: 63 } });
  const silent = (step: Partial<ScenarioPacket>, sysctls = {}): number => hostWith('', 'ipv4', sysctls).send({ in: 'eth0', packet: { ...packet, ...step } }).generated.length;
  t.is(silent({ src: '198.51.100.7' }), 0, 'the sender is not on the link');
  t.is(silent({ dst: '10.0.0.9' }), 0, 'it leaves by another interface');
  t.is(silent({}, { 'net.ipv4.conf.all.send_redirects': 0, 'net.ipv4.conf.eth0.send_redirects': 0 }), 0);
});

test('redirects about translated connections are not sent', t => {
  const host = hostWith('*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j DNAT --to-destination 192.0.2.9\nCOMMIT\n');
  const { verdict, generated } = host.send({ in: 'eth0', packet: { proto: 'tcp', src: '192.0.2.7', dst: '203.0.113.9', dport: 80 } });
  t.is(verdict, 'forwarded eth0');
  t.deepEqual(generated.flatMap(one => one.out), []);
});

test('redirects become rare, and end until the sender has been quiet', t => {
  const peers = new InetPeers();
  const told = (from: number, to: number): number[] => {
    const times: number[] = [];
    for (let tick = from; tick < to; tick++) if (peers.allowsRedirect(1, tick / 100)) times.push(tick);
    return times;
  };
  t.deepEqual(told(0, 2500), [0, 5, 14, 31, 64, 129, 258, 515, 1028]);
  t.deepEqual(told(2500, 4400), [], 'it has not been quiet');
  t.true(peers.allowsRedirect(2, 25), 'each sender by itself');
  t.true(peers.allowsRedirect(1, 44 + 21));
});

test('five errors about routes are sent at once, and then one a second', t => {
  const peers = new InetPeers();
  t.is(Array.from({ length: 9 }, () => peers.allowsRouteError(1, 0)).filter(Boolean).length, 5);
  t.false(peers.allowsRouteError(1, 0.5));
  t.true(peers.allowsRouteError(1, 1));
  t.true(peers.allowsRouteError(2, 1));
});

test('the MSS that the path allows is that of the narrower way, there or back', t => {
  const rule = '-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu';
  const host = hostWith(`*mangle\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A FORWARD ${rule}\n-A OUTPUT ${rule}\nCOMMIT\n`);
  const mss = (from: string, src: string, dst: string): number | undefined => host.send({ in: from, packet: { proto: 'tcp', src, dst, dport: 80, mss: 1460 } }).out[0]?.mss;
  t.is(mss('eth0', '192.0.2.7', '10.0.0.9'), 1360);
  t.is(mss('eth1', '10.0.0.9', '192.0.2.7'), 1360, 'on the way back');
  t.is(mss('eth0', '192.0.2.7', '172.16.0.9'), 1260, 'the route says less than its interface');
  t.is(mss('eth0', '192.0.2.7', '172.20.0.9'), 1360);
  t.is(mss('local', '192.0.2.1', '203.0.113.9'), 1460);
});

test('a prefix that no word of the address can make up for is a parameter problem', t => {
  const host = hostWith('*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth0 -j DNPT --src-pfx 2001:db8:9::/64 --dst-pfx 2001:db8:2::/64\nCOMMIT\n', 'ipv6');
  const { verdict, by, generated } = host.send({ in: 'eth0', packet: { proto: 'udp', src: '2001:db8:1::7', dst: '2001:db8:9:0:ffff:ffff:ffff:ffff', dport: 2 } });
  t.deepEqual([verdict, by], ['drop', 'mangle:PREROUTING:1']);
  t.like(generated[0]?.packet, { proto: 'icmpv6', type: 4, code: 0, dst: '2001:db8:1::7', rest: 24 });
});
