/** Matches that ask about the host, the link layer or the sender. */
import test from 'ava';
import type { HookName, World } from '../../../analyzer/packet/traversal.js';
import type { Packet } from '../../../analyzer/packet/packet.js';
import { ruleOf } from '../compiled.js';
import { fakeWorld } from '../fake-world.js';
import { ipv4, ipv6, tcp } from './hex.js';

function ask(rule: string, packet: Packet, where: { readonly world?: Partial<World>; readonly table?: string; readonly hook?: HookName } = {}): string {
  const { world = {}, ...place } = where;
  return ruleOf(rule, { world: fakeWorld(packet.family, 'legacy', world), ...place })(packet);
}

test('mac: a packet without an Ethernet header matches neither an address nor its negation', t => {
  const packet = ipv4(6, tcp());
  t.is(ask('-m mac --mac-source 02:00:00:00:00:09', packet), 'match');
  t.is(ask('-m mac ! --mac-source 02:00:00:00:00:09', packet), 'no match');
  packet.sourceMac = undefined;
  t.is(ask('-m mac ! --mac-source 02:00:00:00:00:09', packet), 'no match');
});

test('eui64: the Ethernet address with its universal bit inverted is the interface identifier', t => {
  const packet = ipv6(59, '');
  t.is(ask('-m eui64', packet), 'no match');
  packet.bytes.set([0x00, 0x00, 0x00, 0xff, 0xfe, 0x00, 0x00, 0x09], 16);
  t.is(ask('-m eui64', packet), 'match');
});

test('owner: without a sender only what is all negated matches', t => {
  const place = { table: 'mangle', hook: 'OUTPUT' } as const;
  const packet = ipv4(6, tcp());
  t.is(ask('-m owner --uid-owner 0-4000000000', packet, place), 'no match');
  t.is(ask('-m owner ! --uid-owner 7', packet, place), 'match');
  t.is(ask('-m owner ! --socket-exists', packet, place), 'match');
  packet.owner = { uid: 33, gid: 33, groups: [4, 27] };
  t.is(ask('-m owner --uid-owner 30-40 ! --gid-owner 0', packet, place), 'match');
  t.is(ask('-m owner ! --socket-exists', packet, place), 'no match');
  t.is(ask('-m owner --gid-owner 27', packet, place), 'no match');
  t.is(ask('-m owner --gid-owner 27 --suppl-groups', packet, place), 'match');
  t.is(ask('-m owner ! --gid-owner 27 --suppl-groups', packet, place), 'no match');
});

test('addrtype: of IPv4 types one suffices, of IPv6 types those that the address gives must hold together', t => {
  t.is(ask('-m addrtype --dst-type LOCAL,BROADCAST', ipv4(6, tcp()), { world: { addressTypes: () => new Set(['LOCAL']) } }), 'match');
  t.is(ask('-m addrtype ! --src-type LOCAL', ipv4(6, tcp()), { world: { addressTypes: () => new Set(['LOCAL']) } }), 'no match');
  t.is(ask('-m addrtype --src-type UNICAST', ipv6(59, '')), 'match');
  t.is(ask('-m addrtype --src-type MULTICAST,UNICAST', ipv6(59, '')), 'no match');
  t.is(ask('-m addrtype --dst-type UNICAST,LOCAL', ipv6(59, ''), { world: { addressTypes: () => new Set(['LOCAL']) } }), 'match');
  t.is(ask('-m addrtype --dst-type LOCAL --limit-iface-in', ipv4(6, tcp()), { world: { addressTypes: (_address, name) => new Set([name === 'eth0' ? 'LOCAL' : 'UNICAST']) } }), 'match');
});

test('pkttype: what came back from the machine itself counts as broadcast or multicast', t => {
  const packet = ipv4(17, '03e80050 00080000');
  packet.linkType = 'loopback';
  t.is(ask('-m pkttype --pkt-type broadcast', packet), 'match');
  packet.bytes[16] = 224;
  t.is(ask('-m pkttype --pkt-type multicast', packet), 'match');
});

test('physdev: a packet that passed no bridge matches where everything is negated', t => {
  const packet = ipv4(6, tcp());
  t.is(ask('-m physdev ! --physdev-in port0', packet), 'match');
  t.is(ask('-m physdev ! --physdev-in port0 --physdev-is-in', packet), 'no match');
  packet.physin = 'port1';
  t.is(ask('-m physdev --physdev-in port+', packet), 'match');
  t.is(ask('-m physdev --physdev-is-bridged', packet), 'no match');
});

test('policy and realm: no IPsec is known, and routes have realm 0', t => {
  const packet = ipv4(6, tcp());
  t.is(ask('-m policy --dir in --pol none --reqid 7', packet), 'match');
  t.is(ask('-m policy --dir in', packet), 'no match');
  t.is(ask('-m realm --realm 0', packet, { table: 'filter', hook: 'INPUT' }), 'match');
  t.is(ask('-m realm ! --realm 0x1/0xff', packet, { table: 'filter', hook: 'INPUT' }), 'match');
});

test('rpfilter asks the routes, except of loopback and of hosts that have no address yet', t => {
  const closed = { world: { reversePath: () => false } };
  const packet = ipv4(17, '03e80050 00080000');
  t.is(ask('-m rpfilter', packet, closed), 'no match');
  t.is(ask('-m rpfilter --invert', packet, closed), 'match');
  packet.bytes.set([0, 0, 0, 0, 255, 255, 255, 255], 12);
  t.is(ask('-m rpfilter', packet, closed), 'match');
  const looped = ipv4(17, '03e80050 00080000');
  looped.in = 'lo';
  t.is(ask('-m rpfilter', looped, closed), 'match');
});

test('socket: one that listens on every address counts only with --nowildcard', t => {
  const world = { findSocket: () => ({ isTransparent: false, isWildcard: true, isConnected: false }) };
  const packet = ipv4(6, tcp());
  t.is(ask('-m socket', packet, { world }), 'no match');
  t.is(ask('-m socket --nowildcard', packet, { world }), 'match');
  t.is(ask('-m socket --nowildcard --transparent', packet, { world }), 'no match');
  t.is(ask('-m socket', packet), 'no match');
});

test('devgroup compares the bits of its mask, and leaves those of the value outside it alone', t => {
  const world = { interfaceGroup: (name: string) => name === 'eth0' ? 0x12 : 0 };
  t.is(ask('-m devgroup --src-group 0x2/0xf', ipv4(6, tcp()), { world }), 'match');
  t.is(ask('-m devgroup --src-group 0xf2/0xf', ipv4(6, tcp()), { world }), 'match');
  t.is(ask('-m devgroup ! --src-group 0x12', ipv4(6, tcp()), { world }), 'no match');
});
