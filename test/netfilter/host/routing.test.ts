import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import type { HostInterface } from '../../../analyzer/netfilter/host/host.js';
import { routingOf, type RoutedHost } from '../../../analyzer/netfilter/host/scenario-host.js';
import type { Routing } from '../../../analyzer/netfilter/host/routing.js';
import { scenarioSysctls, Sysctls } from '../../../analyzer/netfilter/host/sysctls.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { printAddress } from '../../../analyzer/values/address.js';
import { address, udp } from './packets.js';

const interfaces: readonly HostInterface[] = [
  { name: 'eth0', addresses: ['192.0.2.1/24', '2001:db8::1/64'], mac: '02:00:00:00:00:01', group: 3 },
  { name: 'eth1', addresses: ['10.0.0.1/24', '10.0.0.5/24', 'fd00::1/64'], mac: '02:00:00:00:00:02', mtu: 9000 },
  { name: 'tun0', kind: 'tun', addresses: ['10.8.0.1/30'] },
];
const routes = ['default via 192.0.2.254', 'blackhole 10.9.0.0/16', 'unreachable 10.10.0.0/16', 'prohibit 10.11.0.0/16'];
const routes6 = ['default via fe80::1 dev eth0', 'fd01::/16 dev eth1'];

function router(sysctls: Readonly<Record<string, number>> = {}, more: Partial<RoutedHost> = {}): Routing {
  return routingOf('ipv4', { interfaces, routes, ...more }, new Sysctls({ ...scenarioSysctls, ...sysctls }));
}
function router6(sysctls: Readonly<Record<string, number>> = {}, more: Partial<RoutedHost> = {}): Routing {
  return routingOf('ipv6', { interfaces, routes: routes6, ...more }, new Sysctls({ ...scenarioSysctls, ...sysctls }));
}

/** `local`, `eth1`, `eth0 via 192.0.2.254`, or the reason why not. */
function fate(routing: Routing, src: string, dst: string, from = 'eth0', rest: { mark?: number; tos?: number; ttl?: number } = {}): string {
  const route = routing.input(udp({ in: from, src, dst, ...rest }));
  if (route.kind === 'drop') return `${route.reason}${route.icmp === undefined ? '' : ` ${String(route.icmp.type)}/${String(route.icmp.code)}`}`;
  return route.kind === 'forward' ? `${route.out}${route.via === undefined ? '' : ` via ${printAddress(route.via)}`}` : route.kind;
}

function cases(t: ExecutionContext, routing: Routing, list: readonly (readonly [src: string, dst: string, from: string, expected: string])[]): void {
  for (const [src, dst, from, expected] of list) t.is(fate(routing, src, dst, from), expected, `${src} > ${dst} in ${from}`);
}

test('a router delivers, forwards, and tells whom it cannot help', t => {
  cases(t, router(), [
    ['192.0.2.7', '192.0.2.1', 'eth0', 'local'],
    ['192.0.2.7', '10.0.0.1', 'eth0', 'local'],
    ['192.0.2.7', '192.0.2.255', 'eth0', 'broadcast'],
    ['192.0.2.7', '255.255.255.255', 'eth0', 'broadcast'],
    ['0.0.0.0', '255.255.255.255', 'eth0', 'broadcast'],
    ['192.0.2.7', '224.0.0.1', 'eth0', 'multicast'],
    ['192.0.2.7', '10.0.0.9', 'eth0', 'eth1'],
    ['10.0.0.9', '203.0.113.1', 'eth1', 'eth0 via 192.0.2.254'],
    ['192.0.2.7', '10.9.1.1', 'eth0', 'blackhole'],
    ['192.0.2.7', '10.10.1.1', 'eth0', 'unreachable 3/1'],
    ['192.0.2.7', '10.11.1.1', 'eth0', 'prohibit 3/13'],
  ]);
});

test('without a default route the sender is told so, by a router only', t => {
  t.is(fate(router({}, { routes: [] }), '192.0.2.7', '203.0.113.1'), 'no route 3/0');
  t.is(fate(router({ 'net.ipv4.ip_forward': 0 }, { routes: [] }), '192.0.2.7', '203.0.113.1'), 'no route');
});

test('addresses that nobody may have are martians', t => {
  cases(t, router(), [
    ['224.0.0.1', '192.0.2.1', 'eth0', 'martian'],
    ['255.255.255.255', '192.0.2.1', 'eth0', 'martian'],
    ['0.0.0.0', '192.0.2.1', 'eth0', 'martian'],
    ['127.0.0.1', '192.0.2.1', 'eth0', 'martian'],
    ['192.0.2.7', '127.0.0.1', 'eth0', 'martian'],
    ['192.0.2.7', '0.0.0.0', 'eth0', 'martian'],
    ['10.0.0.1', '192.0.2.1', 'eth0', 'martian'],
    ['10.0.0.1', '203.0.113.1', 'eth1', 'martian'],
  ]);
});

test('switches let some martians in', t => {
  t.is(fate(router({ 'net.ipv4.conf.eth0.route_localnet': 1 }), '192.0.2.7', '127.0.0.1'), 'local');
  t.is(fate(router({ 'net.ipv4.conf.all.accept_local': 1 }), '10.0.0.1', '192.0.2.1'), 'local');
  t.is(fate(router({ 'net.ipv4.conf.eth1.route_localnet': 1 }), '192.0.2.7', '127.0.0.1'), 'martian');
});

test('a strict rp_filter asks for the same interface, a loose one for any way back', t => {
  const spoofed = ['10.0.0.9', '192.0.2.1', 'eth0'] as const;
  t.is(fate(router(), ...spoofed), 'local');
  t.is(fate(router({ 'net.ipv4.conf.all.rp_filter': 1 }), ...spoofed), 'rp_filter');
  t.is(fate(router({ 'net.ipv4.conf.eth0.rp_filter': 1 }), ...spoofed), 'rp_filter');
  t.is(fate(router({ 'net.ipv4.conf.eth0.rp_filter': 2 }), ...spoofed), 'local');
  t.is(fate(router({ 'net.ipv4.conf.eth0.rp_filter': 2 }, { routes: [] }), '203.0.113.1', '192.0.2.1'), 'rp_filter');
  t.is(fate(router({ 'net.ipv4.conf.all.rp_filter': 2, 'net.ipv4.conf.eth0.rp_filter': 1 }), ...spoofed), 'local');
});

test('a switch that is changed later counts from then on', t => {
  const sysctls = new Sysctls({ ...scenarioSysctls, 'net.ipv4.conf.eth0.forwarding': 1 });
  const routing = routingOf('ipv4', { interfaces, routes }, sysctls);
  t.is(fate(routing, '192.0.2.7', '10.0.0.9'), 'eth1');
  sysctls.set({ 'net.ipv4.ip_forward': 0 });
  t.is(fate(routing, '192.0.2.7', '10.0.0.9'), 'ip_forward');
  sysctls.set({ 'net/ipv4/conf/eth0/forwarding': 1 });
  t.is(fate(routing, '192.0.2.7', '10.0.0.9'), 'eth1');
});

test('rules send marked packets by another table, and new rules come first', t => {
  const more = { routes: [...routes, 'default dev tun0 table 100', 'default dev eth1 table 200'], ipRules: ['fwmark 0x1/0xf table 100', 'fwmark 0x11 table 200', 'not from 192.0.2.0/24 to 203.0.113.0/24 prohibit'] };
  const routing = router({}, more);
  t.is(fate(routing, '192.0.2.7', '203.0.113.1'), 'eth0 via 192.0.2.254');
  t.is(fate(routing, '192.0.2.7', '203.0.113.1', 'eth0', { mark: 0x21 }), 'tun0');
  t.is(fate(routing, '192.0.2.7', '203.0.113.1', 'eth0', { mark: 0x11 }), 'eth1');
  t.is(fate(routing, '10.0.0.9', '203.0.113.1', 'eth1'), 'prohibit 3/13');
});

test('until somebody adds a rule, a network of main wins over a larger one of local', t => {
  const given = { routes: [...routes, 'local 10.0.0.0/8 dev lo'] };
  const near = (routing: Routing): readonly string[] => ['10.0.0.9', '10.77.0.9'].map(dst => fate(routing, '192.0.2.9', dst));
  t.deepEqual(near(router({}, given)), ['eth1', 'local']);
  t.deepEqual(near(router({}, { ...given, ipRules: ['to 203.0.113.1 table 77'] })), ['local', 'local']);
  t.deepEqual([...router({}, given).addressTypes(address('10.0.0.9'))], ['UNICAST']);
});

test('a link-layer broadcast is delivered but not forwarded', t => {
  const packet = udp({ in: 'eth0', src: '192.0.2.7', dst: '10.0.0.9' });
  packet.linkType = 'broadcast';
  t.like(router().input(packet), { kind: 'drop', reason: 'link-layer broadcast' });
});

test('the MTU is that of the route, else of the interface', t => {
  const routing = router({}, { routes: ['203.0.113.0/24 dev tun0 mtu lock 1280'] });
  t.like(routing.input(udp({ in: 'eth0', src: '192.0.2.7', dst: '203.0.113.1' })), { mtu: 1280 });
  t.like(routing.input(udp({ in: 'eth0', src: '192.0.2.7', dst: '10.0.0.9' })), { mtu: 9000 });
});

test('several next hops share packets by weight, and that it was chance is said', t => {
  const routing = router({}, { routes: ['203.0.113.0/24 nexthop dev tun0 weight 3 nexthop dev eth1 weight 1'] });
  const counts = new Map<string, number>();
  for (let i = 0; i < 2000; i++) {
    const route = routing.input(udp({ in: 'eth0', src: `198.51.${String(i >> 8)}.${String(i & 255)}`, dst: '203.0.113.9' }));
    t.true(route.kind === 'forward' && route.chance !== undefined);
    if (route.kind === 'forward') counts.set(route.out, (counts.get(route.out) ?? 0) + 1);
  }
  t.true(Math.abs((counts.get('tun0') ?? 0) - 1500) < 100, JSON.stringify([...counts]));
});

test('local packets get the interface, the gateway and the source that the kernel gives them', t => {
  const routing = router();
  t.like(routing.output({ dst: address('203.0.113.1') }), { kind: 'send', out: 'eth0', source: address('192.0.2.1'), via: address('192.0.2.254'), type: 'unicast' });
  t.like(routing.output({ dst: address('10.0.0.9') }), { out: 'eth1', source: address('10.0.0.1') });
  t.like(routing.output({ dst: address('10.0.0.5') }), { out: 'lo', source: address('10.0.0.1'), type: 'local' });
  t.like(routing.output({ dst: address('255.255.255.255'), out: 'eth1' }), { out: 'eth1', source: address('10.0.0.1'), type: 'broadcast' });
  t.like(routing.output({ dst: address('203.0.113.1'), src: address('203.0.113.9') }), { kind: 'drop' });
  t.like(routing.output({ dst: address('203.0.113.1'), src: address('203.0.113.9'), anySource: true }), { out: 'eth0', source: address('203.0.113.9') });
  t.like(routing.output({ dst: address('203.0.113.1'), src: address('127.0.0.1') }), { kind: 'drop', reason: 'martian' });
  t.like(routing.output({ dst: address('10.10.0.1') }), { kind: 'drop', reason: 'unreachable' });
});

test('a mark that was set in OUTPUT leads elsewhere', t => {
  const routing = router({}, { routes: [...routes, 'default dev tun0 table 100'], ipRules: ['fwmark 1 table 100'] });
  const packet = udp({ in: '', src: '192.0.2.1', dst: '203.0.113.1', mark: 1 });
  t.like(routing.reroute(packet), { kind: 'send', out: 'tun0', source: address('192.0.2.1') });
});

test('address types are those of the local table', t => {
  const routing = router();
  const type = (word: string, device?: string): string => [...routing.addressTypes(address(word), device)].join();
  t.is(type('192.0.2.1'), 'LOCAL');
  t.is(type('192.0.2.1', 'eth0'), 'LOCAL');
  t.is(type('192.0.2.1', 'eth1'), 'UNICAST');
  t.is(type('127.5.5.5'), 'LOCAL');
  t.is(type('192.0.2.255'), 'BROADCAST');
  t.is(type('255.255.255.255'), 'BROADCAST');
  t.is(type('0.0.0.0'), 'BROADCAST');
  t.is(type('224.1.2.3'), 'MULTICAST');
  t.is(type('10.9.1.1'), 'UNICAST');
});

test('rpfilter asks by which way an answer would leave', t => {
  const routing = router();
  const asks = (src: string, from: string, options = {}): boolean => routing.reversePath(udp({ in: from, src, dst: '192.0.2.1' }), { loose: false, validMark: false, acceptLocal: false, ...options });
  t.true(asks('192.0.2.7', 'eth0'));
  t.false(asks('192.0.2.7', 'eth1'));
  t.true(asks('192.0.2.7', 'eth1', { loose: true }));
  t.false(asks('10.0.0.1', 'eth1'));
  t.true(asks('10.0.0.1', 'lo'));
  t.false(asks('10.9.0.1', 'eth0', { loose: true }));
  t.true(asks('10.0.0.1', 'eth1', { acceptLocal: true }));
});

test('MASQUERADE takes the address of the gateway\'s network, and never a secondary one', t => {
  const routing = router({}, { interfaces: [{ name: 'eth0', addresses: ['192.0.2.1/24', '192.0.2.2/24', '198.51.100.1/24'] }, { name: 'eth1' }] });
  t.is(routing.sourceAddress('eth0', address('198.51.100.9')), address('198.51.100.1'));
  t.is(routing.sourceAddress('eth0', address('203.0.113.9')), address('192.0.2.1'));
  t.is(routing.sourceAddress('eth1', address('203.0.113.9')), address('192.0.2.1'), 'an interface without address borrows one');
  t.is(router({}, { interfaces: [{ name: 'eth1' }] }).sourceAddress('eth1', address('203.0.113.9')), undefined);
});

test('an IPv6 router delivers, forwards, and keeps link-local packets on their link', t => {
  cases(t, router6(), [
    ['2001:db8::7', '2001:db8::1', 'eth0', 'local'],
    ['2001:db8::7', 'fd00::1', 'eth0', 'local'],
    ['2001:db8::7', '2001:db8::', 'eth0', 'local'],
    ['2001:db8::7', 'fd01::9', 'eth0', 'eth1'],
    ['fd00::9', '2001:db8:5::9', 'eth1', 'eth0 via fe80::1'],
    ['fe80::9', 'fd01::9', 'eth0', 'scope 1/2'],
    ['2001:db8::7', 'fe80::ff:fe00:1', 'eth0', 'local'],
    ['2001:db8::7', 'fe80::ff:fe00:1', 'eth1', 'eth1'],
    ['fe80::9', 'ff02::1', 'eth0', 'multicast'],
    ['fe80::9', 'ff02::1:ff00:1', 'eth0', 'multicast'],
    ['fe80::9', 'ff02::2', 'eth0', 'multicast'],
  ]);
});

test('an IPv6 host that does not forward says nothing, and joins no routers\' groups', t => {
  const host = router6({ 'net.ipv6.conf.all.forwarding': 0 });
  t.is(fate(host, '2001:db8::7', 'fd01::9'), 'ip_forward');
  t.is(host.input(udp({ in: 'eth0', src: 'fe80::9', dst: 'ff02::2' })).kind, 'drop');
  t.is(fate(router6({}, { routes: [] }), '2001:db8::7', '2001:db9::1'), 'no route 1/0');
});

test('an IPv6 hop limit that is used up is said before the scope of the source', t => {
  t.is(fate(router6(), 'fe80::9', 'fd01::9', 'eth0', { ttl: 1 }), 'eth1');
});

test('an IPv6 source is of the scope of the destination, and of the interface', t => {
  const routing = router6();
  t.like(routing.output({ dst: address('fe80::9'), out: 'eth0' }), { out: 'eth0', source: address('fe80::ff:fe00:1') });
  t.like(routing.output({ dst: address('fd01::9') }), { out: 'eth1', source: address('fd00::1') });
  t.like(routing.output({ dst: address('2001:db8:5::1') }), { out: 'eth0', source: address('2001:db8::1') });
  t.is(routing.sourceAddress('eth0', address('2001:db8:5::1')), address('2001:db8::1'));
});

test('IPv6 address types are all that is true of an address', t => {
  const types = (word: string, device?: string): string => [...router6().addressTypes(address(word), device)].join();
  t.is(types('2001:db8::1'), 'UNICAST,LOCAL');
  t.is(types('2001:db8::'), 'UNICAST,ANYCAST');
  t.is(types('::'), 'UNSPEC');
  t.is(types('fd01::1'), 'UNICAST');
  t.is(types('2001:db8::1', 'eth0'), 'UNICAST,LOCAL');
  t.is([...router6({}, { routes: [] }).addressTypes(address('fd01::1'))].join(), 'UNICAST,UNREACHABLE');
});

test('IPv6 rpfilter asks by which way an answer would leave', t => {
  const asks = (src: string, from: string, loose = false): boolean => router6().reversePath(udp({ in: from, src, dst: '2001:db8::1' }), { loose, validMark: false, acceptLocal: false });
  t.true(asks('2001:db8::7', 'eth0'));
  t.false(asks('2001:db8::7', 'eth1'));
  t.true(asks('2001:db8::7', 'eth1', true));
  t.true(asks('fe80::9', 'eth1'));
  t.false(asks('fd00::1', 'eth1'));
});

test('what is not understood is said, and the rest is used', t => {
  const routing = router({}, { interfaces: [...interfaces, { name: 'eth2', addresses: ['10.0.0.1/99'] }], routes: [...routes, '10.20.0.0/16 via', 'default dev eth9', '10.0.0.0/33 dev eth0'], ipRules: ['fwmark x table 1'] });
  t.deepEqual(routing.problems, [
    'interface eth2: `10.0.0.1/99` is not an address with a prefix length',
    'route `10.20.0.0/16 via`: `via` needs the address of a gateway',
    'route `10.0.0.0/33 dev eth0`: `10.0.0.0/33` is no prefix of IPv4',
    'rule `fwmark x table 1`: `fwmark` needs a number, or MARK/MASK',
    'there is no interface eth9',
  ]);
  t.is(fate(routing, '192.0.2.7', '10.0.0.9'), 'eth1');
});

test('no bytes whatever make routing fail', t => {
  const routings = { ipv4: router({}, { ipRules: ['ipproto udp dport 5 table 100'] }), ipv6: router6({}, { ipRules: ['ipproto udp dport 5 table 100'] }) };
  fc.assert(fc.property(fc.constantFrom('ipv4', 'ipv6'), fc.uint8Array({ maxLength: 120 }), fc.constantFrom('eth0', 'eth1', 'tun0', 'lo', 'none'), (family, bytes, device) => {
    const packet = new Packet(family, bytes);
    packet.in = device;
    const routing = routings[family];
    routing.arriveOn(packet, {});
    routing.checkInput(packet);
    routing.input(packet);
    routing.reroute(packet);
    routing.addressTypes(packet.src);
    routing.reversePath(packet, { loose: false, validMark: true, acceptLocal: false });
    t.pass();
  }), { seed: 3, numRuns: 3000 });
});
