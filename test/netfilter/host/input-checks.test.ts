import test from 'ava';
import { Interfaces } from '../../../analyzer/netfilter/host/interfaces.js';
import { Routing } from '../../../analyzer/netfilter/host/routing.js';
import { Sysctls } from '../../../analyzer/netfilter/host/sysctls.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { setHeaderChecksum } from '../../../analyzer/packet/rewrite.js';
import { udp } from './packets.js';

const interfaces = new Interfaces([{ name: 'eth0', mac: '02:00:00:00:00:01', addresses: ['192.0.2.1/24', '2001:db8::1/64'] }, { name: 'tun0', kind: 'tun' }]);
const routing = { ipv4: new Routing({ family: 'ipv4', interfaces, sysctls: new Sysctls() }), ipv6: new Routing({ family: 'ipv6', interfaces, sysctls: new Sysctls() }) };

const reason = (packet: Packet): string => routing[packet.family].checkInput(packet)?.reason ?? 'fine';
const ipv4 = (): Packet => udp({ in: 'eth0', src: '192.0.2.7', dst: '192.0.2.1' });
const ipv6 = (src = '2001:db8::7', dst = '2001:db8::1'): Packet => udp({ in: 'eth0', src, dst });

function changed(packet: Packet, change: (bytes: Uint8Array) => void): Packet {
  change(packet.bytes);
  setHeaderChecksum(packet);
  return packet;
}

test('a sound packet goes on, without what the link put behind it', t => {
  for (const packet of [ipv4(), ipv6()]) {
    const { length } = packet.bytes;
    packet.bytes = Uint8Array.of(...packet.bytes, 0, 0, 0, 0);
    t.is(reason(packet), 'fine');
    t.is(packet.bytes.length, length);
  }
});

test('broken IPv4 headers end a packet before netfilter', t => {
  t.is(reason(new Packet('ipv4', ipv4().bytes.slice(0, 19))), 'bad header');
  t.is(reason(changed(ipv4(), bytes => { bytes[0] = 0x65; })), 'bad header');
  t.is(reason(changed(ipv4(), bytes => { bytes[0] = 0x44; })), 'bad header');
  t.is(reason(changed(ipv4(), bytes => { bytes[3] = 29; })), 'truncated');
  t.is(reason(changed(ipv4(), bytes => { bytes[3] = 19; })), 'bad header');
  const packet = ipv4();
  packet.bytes[8] = 63;
  t.is(reason(packet), 'bad checksum');
});

test('IPv6 addresses that may not be in a packet end it before netfilter', t => {
  t.is(reason(ipv6('::1')), 'loopback address');
  t.is(reason(ipv6('2001:db8::7', '::1')), 'loopback address');
  t.is(reason(ipv6('ff02::1')), 'invalid source');
  t.is(reason(ipv6('::ffff:192.0.2.1')), 'invalid source');
  t.is(reason(ipv6('2001:db8::7', 'ff01::1')), 'scope');
  t.is(reason(ipv6('2001:db8::7', 'ff00::1')), 'scope');
  t.is(reason(ipv6('2001:db8::7', 'ff02::1')), 'fine');
});

/** A hop-by-hop header of eight bytes with these options. */
function withOptions(...options: readonly number[]): Packet {
  const packet = ipv6();
  const bytes = Uint8Array.of(...packet.bytes.subarray(0, 40), 17, 0, ...options, ...packet.bytes.subarray(40));
  bytes[6] = 0;
  bytes[5] = 16;
  packet.bytes = bytes;
  return packet;
}

test('hop-by-hop options are read by everybody on the way', t => {
  t.is(reason(withOptions(5, 2, 0, 0, 1, 0)), 'fine');
  t.is(reason(withOptions(5, 3, 0, 0, 0, 0)), 'ip options');
  t.is(reason(withOptions(0x1e, 4, 0, 0, 0, 0)), 'fine');
  t.is(reason(withOptions(0x5e, 4, 0, 0, 0, 0)), 'ip options');
  t.is(reason(withOptions(1, 4, 0, 0, 0, 1)), 'ip options');
  t.is(reason(withOptions(1, 9, 0, 0, 0, 0)), 'ip options');
  t.deepEqual(routing.ipv6.checkInput(withOptions(0x9e, 4, 0, 0, 0, 0))?.icmp, { type: 4, code: 2, pointer: 42 });
});

/** A header with eight bytes of options. */
function withIpOptions(...options: readonly number[]): Packet {
  const packet = ipv4();
  packet.bytes = Uint8Array.of(...packet.bytes.subarray(0, 20), ...options, ...packet.bytes.subarray(20));
  return changed(packet, bytes => { bytes[0] = 0x47; bytes[3] = 36; });
}

test('IPv4 options are read after PREROUTING: source routes are refused, malformed ones told', t => {
  const ends = (packet: Packet): unknown => routing.ipv4.input(packet);
  t.like(ends(withIpOptions(1, 1, 1, 0, 0, 0, 0, 0)), { kind: 'local' });
  t.like(ends(withIpOptions(0x83, 7, 4, 10, 0, 0, 1, 0)), { reason: 'source route' });
  t.like(ends(withIpOptions(7, 9, 4, 0, 0, 0, 0, 0)), { reason: 'ip options', icmp: { type: 12, code: 0, pointer: 20 } });
  t.like(ends(withIpOptions(7, 7, 3, 0, 0, 0, 0, 0)), { reason: 'ip options', icmp: { pointer: 22 } });
  t.like(ends(withIpOptions(7, 7, 4, 0, 0, 0, 0, 0)), { kind: 'local' });
});

test('a frame for another MAC address is for another host; a tun has none', t => {
  const frame = { destination: Uint8Array.of(2, 0, 0, 0, 0, 9) };
  const packet = ipv4();
  routing.ipv4.arriveOn(packet, frame);
  t.is(reason(packet), 'otherhost');
  routing.ipv4.arriveOn(packet, {});
  t.is(packet.linkType, 'unicast');
  routing.ipv4.arriveOn(packet, { isBroadcast: true });
  t.is(packet.linkType, 'broadcast');
  const toMany = udp({ in: packet.in, src: '192.0.2.7', dst: '239.129.2.3' });
  routing.ipv4.arriveOn(toMany, {});
  t.deepEqual([toMany.linkType, [...toMany.destinationMac ?? []]], ['multicast', [1, 0, 0x5e, 1, 2, 3]]);
  const tunnelled = udp({ in: 'tun0', src: '192.0.2.7', dst: '192.0.2.1' });
  routing.ipv4.arriveOn(tunnelled, frame);
  t.is(tunnelled.linkType, 'unicast');
  t.is(tunnelled.sourceMac, undefined);
});
