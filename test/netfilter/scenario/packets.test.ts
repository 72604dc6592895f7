import test from 'ava';
import fc from 'fast-check';
import { buildPacket } from '../../../analyzer/netfilter/scenario/build-packet.js';
import { describePacket } from '../../../analyzer/netfilter/scenario/describe-packet.js';
import { hexOf } from '../../../analyzer/netfilter/scenario/payload.js';
import { ScenarioError } from '../../../analyzer/netfilter/scenario/scenario-error.js';
import type { ScenarioPacket } from '../../../analyzer/netfilter/scenario.js';
import { crc32c } from '../../../analyzer/packet/crc32c.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { setHeaderChecksum, setTransportChecksum } from '../../../analyzer/packet/rewrite.js';
import type { Family } from '../../../analyzer/values/value.js';

const ends = { src: '192.0.2.9', dst: '198.51.100.7' };
const ends6 = { src: '2001:db8::9', dst: '2001:db8:1::7' };

function one(packet: ScenarioPacket, family: Family = 'ipv4'): Uint8Array {
  const [bytes, ...more] = buildPacket(packet, family);
  if (bytes === undefined || more.length > 0) throw new Error('not one packet');
  return bytes;
}

test('a TCP packet without flags is a SYN as a real stack sends it', t => {
  const packet = new Packet('ipv4', one({ proto: 'tcp', ...ends, sport: 40000, dport: 22 }));
  t.true(packet.isSound);
  t.deepEqual([packet.protocol, packet.sport, packet.dport, packet.tcpFlags, packet.ttl, packet.length], [6, 40000, 22, 2, 64, 40]);
  t.is(packet.u32(packet.transport + 4), 1000);
  t.is(packet.u16(packet.transport + 14), 65535);
});

test('a ping is an echo request in both families', t => {
  t.is(new Packet('ipv4', one({ proto: 'icmp', ...ends })).icmpType, 8);
  t.is(new Packet('ipv6', one({ proto: 'icmpv6', ...ends6 }, 'ipv6')).icmpType, 128);
});

test('checksums are right, and are wrong only where that is asked for', t => {
  for (const proto of ['tcp', 'udp', 'icmp', 'udplite', 'dccp']) {
    const built = one({ proto, ...ends, sport: 1, dport: 2, payload: 'odd' });
    const again = new Packet('ipv4', built.slice());
    setTransportChecksum(again);
    setHeaderChecksum(again);
    t.deepEqual(again.bytes, built, proto);
    t.notDeepEqual(one({ proto, ...ends, sport: 1, dport: 2, payload: 'odd', badcsum: true }), built, proto);
    t.notDeepEqual(one({ proto, ...ends, sport: 1, dport: 2, payload: 'odd', badipcsum: true }), built, proto);
  }
  const silent = new Packet('ipv4', one({ proto: 'udp', ...ends, nocsum: true }));
  t.is(silent.u16(silent.transport + 6), 0);
});

test('the checksum of SCTP is a CRC32c, with its low byte first', t => {
  // The check value that catalogues of CRCs give.
  t.is(crc32c(new TextEncoder().encode('123456789')), 0xe306_9283);
  const bytes = one({ proto: 'sctp', ...ends });
  const written = new DataView(bytes.buffer).getUint32(28, true);
  bytes.fill(0, 28, 32);
  t.is(written, crc32c(bytes, 20));
});

test('an ICMP error quotes the packet that went the other way', t => {
  const packet = new Packet('ipv4', one({ proto: 'icmp', ...ends, type: 3, code: 1, quote: { proto: 'udp', sport: 5, dport: 53, payload: 'x' } }));
  const quoted = new Packet('ipv4', packet.bytes.subarray(28));
  t.is(quoted.src, packet.dst);
  t.is(quoted.dst, packet.src);
  t.is(quoted.dport, 53);
  t.is(one({ proto: 'icmp', ...ends, type: 3, quote: { proto: 'udp' }, quote_len: 24 }).length, 20 + 8 + 24);
});

test('fragments carry so many bytes each, in the order asked for', t => {
  const pieces = (more: Partial<ScenarioPacket>): readonly (readonly number[])[] =>
    buildPacket({ proto: 'udp', ...ends, payload_len: 40, ...more }, 'ipv4').map(bytes => new Packet('ipv4', bytes)).map(packet => [packet.fragmentOffset, packet.transportLength, Number(packet.moreFragments)]);
  t.deepEqual(pieces({ fragsize: 20 }), [[0, 16, 1], [16, 16, 1], [32, 16, 0]]);
  t.deepEqual(pieces({ fragsize: 24, fragorder: [1, 0, 1] }), [[24, 24, 0], [0, 24, 1], [24, 24, 0]]);
  t.deepEqual(pieces({ fragsize: 1000 }), [[0, 48, 0]]);
  const six = buildPacket({ proto: 'udp', ...ends6, payload_len: 40, fragsize: 24 }, 'ipv6').map(bytes => new Packet('ipv6', bytes));
  t.deepEqual(six.map(packet => [packet.protocol, packet.fragmentOffset, packet.moreFragments]), [[17, 0, true], [17, 24, false]]);
});

test('layer 4 is cut with the IP header following', t => {
  const packet = new Packet('ipv4', one({ proto: 'tcp', ...ends, cut: 12 }));
  t.true(packet.isSound);
  t.is(packet.transportLength, 12);
});

test('what cannot be built is said in a sentence', t => {
  const said = (packet: ScenarioPacket, family: Family = 'ipv4'): string => t.throws(() => buildPacket(packet, family), { instanceOf: ScenarioError }).message;
  t.is(said({ proto: 'tcp', src: '1.2.3.400', dst: '1.2.3.4' }), '`src`: `1.2.3.400` is not an address');
  t.is(said({ proto: 'tcp', src: '::1', dst: '1.2.3.4' }), '`src`: `::1` is an IPv6 address in an IPv4 rule set');
  t.is(said({ proto: 'tcp', dst: '1.2.3.4' }), 'the packet has no `src`');
  t.is(said({ proto: 'tpc', ...ends }), '`tpc` is not a protocol');
  t.is(said({ proto: 'tcp', ...ends, flags: 'SX' }), '`X` in `SX` is not a TCP flag; the flags are FSRPAUEC, or none');
  t.is(said({ proto: 'udp', ...ends, payload_len: 100_000 }), 'a packet cannot carry 100000 bytes of payload');
  t.is(said({ proto: 'udp', ...ends, payload_len: 40, fragsize: 24, fragorder: [2] }), '`fragorder` asks for fragment 2, and there are 2, counted from 0');
});

test('a packet that left is described by what one would write to send it', t => {
  t.deepEqual(describePacket(one({ proto: 'tcp', ...ends, sport: 40000, dport: 22, mss: 1460, ttl: 63 }), 'ipv4'), {
    proto: 'tcp', ...ends, sport: 40000, dport: 22, flags: 'S', seq: 1000, win: 65535, mss: 1460, ttl: 63, tos: 0,
  });
  t.deepEqual(describePacket(one({ proto: 'icmp', ...ends, type: 3, code: 3, quote: { proto: 'udp', sport: 9, dport: 53 } }), 'ipv4'), {
    proto: 'icmp', ...ends, type: 3, code: 3, quote: { proto: 'udp', src: ends.dst, dst: ends.src, sport: 9, dport: 53, ttl: 64, tos: 0 }, ttl: 64, tos: 0,
  });
});

const u8 = fc.nat(255), u16 = fc.nat(65535), u32 = fc.nat(0xffff_ffff);
const payload = { payload_hex: fc.uint8Array({ maxLength: 40 }).map(bytes => hexOf(bytes)) };
const portFields = { sport: u16, dport: u16 };
const ipFields = { ttl: u8, tos: u8, df: fc.boolean(), ip_id: u16, badcsum: fc.boolean(), badipcsum: fc.boolean(), cut: fc.nat(60) };
const transport = fc.oneof(
  fc.record({ proto: fc.constant('tcp'), ...portFields, flags: fc.constantFrom('S', 'SA', 'none', 'FSRPAUEC'), seq: u32, ack: u32, win: u16, mss: u16, wscale: u8, sackok: fc.boolean(), urg: u16, doff: fc.nat(15), ...payload }, { requiredKeys: ['proto'] }),
  fc.record({ proto: fc.constantFrom('udp', 'udplite'), ...portFields, udplen: u16, nocsum: fc.boolean(), ...payload }, { requiredKeys: ['proto'] }),
  fc.record({ proto: fc.constantFrom('icmp', 'icmpv6', 'igmp', 'dccp'), ...portFields, type: fc.nat(15), code: u8, id: u16, icmp_seq: u16, rest: u32, ...payload }, { requiredKeys: ['proto'] }),
  fc.record({ proto: fc.constant('sctp'), ...portFields, chunk: u8, vtag: u32, seq: u32, ...payload }, { requiredKeys: ['proto'] }),
  fc.record({ proto: fc.constantFrom('gre', 'esp', 'ah', 'ipcomp', 99), dport: u16, spi: u32, seq: u32, ...payload }, { requiredKeys: ['proto'] }),
);
const anyPacket = fc.tuple(transport, fc.record(ipFields, { requiredKeys: [] })).map(([layer4, ip]): ScenarioPacket => ({ ...layer4, ...ip }));
const withQuote = fc.oneof({ weight: 3, arbitrary: anyPacket }, fc.tuple(fc.constantFrom(3, 4, 5, 11, 12), anyPacket, fc.option(fc.nat(80), { nil: undefined })).map(([type, quote, length]): ScenarioPacket => ({
  proto: 'icmp', type, code: 1, quote, ...(length === undefined ? {} : { quote_len: length }),
})));

test('the description of a packet builds the same packet, whatever it is', t => {
  fc.assert(fc.property(withQuote, packet => {
    const bytes = one({ ...ends, ...packet });
    t.deepEqual(one(describePacket(bytes, 'ipv4')), bytes);
  }), { numRuns: 600 });
  fc.assert(fc.property(anyPacket, packet => {
    const bytes = one({ ...packet, ...ends6, badipcsum: false }, 'ipv6');
    t.deepEqual(one(describePacket(bytes, 'ipv6'), 'ipv6'), bytes);
  }), { numRuns: 300 });
});

test('fragments are described so that they build the same bytes', t => {
  for (const [family, addresses] of [['ipv4', ends], ['ipv6', ends6]] as const) {
    for (const bytes of buildPacket({ proto: 'udp', ...addresses, sport: 1, dport: 2, payload: 'x'.repeat(50), fragsize: 16 }, family)) t.deepEqual(one(describePacket(bytes, family), family), bytes);
  }
});

test('any bytes at all can be described', t => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom<Family>('ipv4', 'ipv6'), fc.boolean(), (bytes, family, isFramed) => {
    if (isFramed && bytes.length > 0) bytes[0] = family === 'ipv4' ? 0x45 : 0x60;
    if (isFramed && bytes.length > 40) bytes.set(family === 'ipv4' ? [0, bytes.length] : [0, 0, 0, bytes.length - 40], family === 'ipv4' ? 2 : 2);
    t.notThrows(() => describePacket(bytes, family));
  }), { numRuns: 1000 });
});
