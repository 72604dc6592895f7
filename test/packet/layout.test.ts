/** Chains of IPv6 extension headers, whole and cut off: as ipv6_find_hdr() goes along them. */
import test from 'ava';
import { Packet } from '../../analyzer/packet/packet.js';
import { portsAt } from '../../analyzer/packet/ports-at.js';

const hopByHop = 0, udp = 17, routing = 43, fragment = 44, authentication = 51, ospf = 89, destination = 60;

function packet(first: number, ...rest: readonly number[]): Packet {
  return new Packet('ipv6', Uint8Array.of(0x60, 0, 0, 0, 0, rest.length, first, 64, ...new Uint8Array(32), ...rest));
}

function headers({ protocol, transport, isCutShort }: Packet): readonly [number, number, boolean] {
  return [protocol, transport, isCutShort];
}

const ports = [0, 80, 0, 22, 0, 8, 0, 0];

test('headers are gone past, to the protocol behind them', t => {
  t.deepEqual(headers(packet(hopByHop, destination, 0, 1, 4, 0, 0, 0, 0, udp, 0, 1, 4, 0, 0, 0, 0, ...ports)), [udp, 56, false]);
});

test('two bytes of a header say what follows, and of routing and fragment headers it takes four', t => {
  t.deepEqual(headers(packet(destination, udp, 0)), [udp, 48, false]);
  t.true(packet(destination, udp).isCutShort);
  t.deepEqual(headers(packet(routing, udp, 0, 0, 0)), [udp, 48, false]);
  t.true(packet(routing, udp, 0, 0).isCutShort);
  t.deepEqual(headers(packet(fragment, udp, 0, 0, 0)), [udp, 48, false]);
  t.true(packet(fragment, udp, 0, 0).isCutShort);
});

test('an authentication header is noted, also where what is behind it is cut off', t => {
  const cut = packet(authentication, destination, 4, ...new Uint8Array(22));
  t.deepEqual([cut.isAuthenticated, cut.isCutShort], [true, true]);
});

test('ports are in front of a packet and of a first fragment; a later fragment is of the protocol of its fragment header', t => {
  t.is(portsAt(packet(udp, ...ports), 2), 22);
  t.is(portsAt(packet(fragment, udp, 0, 0, 1, 0, 0, 0, 7, ...ports), 0), 80);
  t.is(portsAt(packet(fragment, udp, 0, 0, 9, 0, 0, 0, 7, ...ports), 0), 0);
});

test('a protocol without ports has port 0, were nothing of it there; one with ports has none then', t => {
  t.is(portsAt(packet(ospf), 2), 0);
  t.is(portsAt(packet(udp), 2), undefined);
  t.is(portsAt(packet(destination, udp), 2), undefined);
});
