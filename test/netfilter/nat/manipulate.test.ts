import test from 'ava';
import fc from 'fast-check';
import { manipulate } from '../../../analyzer/netfilter/nat/manipulate.js';
import { sumOf } from '../../../analyzer/packet/checksum.js';
import { crc32c } from '../../../analyzer/packet/crc32c.js';
import { Packet } from '../../../analyzer/packet/packet.js';
import { protocolNumber as proto } from '../../../analyzer/packet/protocols.js';
import { pseudoHeaderSum } from '../../../analyzer/packet/rewrite.js';
import type { Family } from '../../../analyzer/values/value.js';
import { ip, packetOf } from './host.js';

const address = { ipv4: fc.integer({ min: 0, max: 0xffff_ffff }), ipv6: fc.bigInt(0n, (1n << 128n) - 1n) };
const side = fc.constantFrom('source', 'destination');
const port = fc.integer({ min: 0, max: 0xffff });
const payload = fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes).toString('hex'));

function ends(family: Family): { readonly src: string; readonly dst: string } {
  return family === 'ipv4' ? { src: '10.0.0.5', dst: '198.51.100.1' } : { src: 'fd00::5', dst: '2001:db8::1' };
}

/** A whole packet with right checksums. */
function whole(family: Family): fc.Arbitrary<Packet> {
  const names = ['tcp', 'udp', 'udplite', 'sctp', family === 'ipv4' ? 'icmp' : 'icmpv6', 'esp'];
  return fc.tuple(fc.constantFrom(...names), port, port, payload).map(([name, sport, dport, hex]) =>
    packetOf({ proto: name, ...ends(family), ...name.startsWith('icmp') ? { id: sport } : name === 'esp' ? {} : { sport, dport }, payload_hex: hex }, family));
}

/** Do the checksums of the header and of layer 4 hold? Worked out from scratch. */
function isRight(packet: Packet): boolean {
  const { bytes, family, protocol, transport, transportLength } = packet;
  if (family === 'ipv4' && sumOf(bytes, 0, transport) !== 0xffff) return false;
  if (protocol === proto.sctp) return new DataView(bytes.buffer, bytes.byteOffset).getUint32(transport + 8, true) === crcOf(packet);
  if (protocol === 50) return true;
  const pseudo = protocol === proto.icmp ? 0 : pseudoHeaderSum(packet, protocol, transportLength);
  return sumOf(bytes, transport, bytes.length, pseudo) === 0xffff;
}

function crcOf({ bytes, transport }: Packet): number {
  const copy = bytes.slice(transport);
  copy.fill(0, 8, 12);
  return crc32c(copy);
}

for (const family of ['ipv4', 'ipv6'] as const) {
  test(`after any translation the checksums of a valid ${family} packet hold, and undoing it gives the same bytes`, t => {
    fc.assert(fc.property(whole(family), side, address[family], port, (packet, which, newAddress, newPort) => {
      t.true(isRight(packet));
      const before = packet.bytes.slice();
      const isId = packet.protocol === proto.icmp || packet.protocol === proto.icmpv6;
      const old = { side: which, protocol: packet.protocol, address: which === 'source' ? packet.src : packet.dst, port: isId ? packet.u16(packet.transport + 4) : which === 'source' ? packet.sport : packet.dport };
      t.true(manipulate(packet.bytes, family, 0, { ...old, address: newAddress, port: newPort }));
      t.true(isRight(packet));
      t.is(which === 'source' ? packet.src : packet.dst, newAddress);
      t.true(manipulate(packet.bytes, family, 0, old));
      t.deepEqual(packet.bytes, before);
    }));
  });

  test(`no ${family} bytes of any length make a translation throw, and one that fails changes nothing`, t => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(60), fc.constantFrom(1, 6, 17, 33, 47, 58, 132, 136, 200), side, address[family], port, (bytes, at, protocol, which, newAddress, newPort) => {
      const before = bytes.slice();
      if (!manipulate(bytes, family, at, { side: which, protocol, address: newAddress, port: newPort })) t.deepEqual(bytes, before);
      t.is(bytes.length, before.length);
    }), { numRuns: 2000 });
  });
}

test('a UDP packet without a checksum gets none', t => {
  const packet = packetOf({ proto: 'udp', ...ends('ipv4'), sport: 4000, dport: 80, nocsum: true });
  manipulate(packet.bytes, 'ipv4', 0, { side: 'source', protocol: proto.udp, address: ip('192.0.2.1'), port: 5000 });
  t.is(packet.u16(packet.transport + 6), 0);
  t.is(packet.sport, 5000);
});

test('a wrong checksum stays as wrong as it was; that of SCTP is worked out anew', t => {
  for (const [name, becomesRight] of [['tcp', false], ['sctp', true]] as const) {
    const packet = packetOf({ proto: name, ...ends('ipv4'), sport: 4000, dport: 80, badcsum: true });
    manipulate(packet.bytes, 'ipv4', 0, { side: 'source', protocol: packet.protocol, address: ip('192.0.2.1'), port: 5000 });
    t.is(isRight(packet), becomesRight, name);
  }
});

test('the checksum of DCCP does not follow, for Linux tracks it no more', t => {
  const packet = packetOf({ proto: 'dccp', ...ends('ipv4'), sport: 4000, dport: 80 });
  const before = packet.bytes.slice(packet.transport);
  manipulate(packet.bytes, 'ipv4', 0, { side: 'source', protocol: proto.dccp, address: ip('192.0.2.1'), port: 5000 });
  t.deepEqual(packet.bytes.slice(packet.transport), before);
});

test('GRE has a key for its destination only, in version 1', t => {
  const change = { side: 'destination', protocol: proto.gre, address: ip('192.0.2.9'), port: 99 } as const;
  const pptp = packetOf({ proto: 'gre', ...ends('ipv4'), rest_hex: '3001880b0000004d00000001' });
  t.true(manipulate(pptp.bytes, 'ipv4', 0, change));
  t.is(pptp.u16(pptp.transport + 6), 99);
  t.true(manipulate(pptp.bytes, 'ipv4', 0, { ...change, side: 'source', port: 7 }));
  t.is(pptp.u16(pptp.transport + 6), 99);
  const unknown = packetOf({ proto: 'gre', ...ends('ipv4'), rest_hex: '0002880b0000004d00000001' });
  t.false(manipulate(unknown.bytes, 'ipv4', 0, change));
});

test('of a later IPv6 fragment only the address is rewritten', t => {
  const packet = packetOf({ proto: 'udp', ...ends('ipv6'), sport: 4000, dport: 80, payload: 'hello', frag_off: 3 }, 'ipv6');
  const before = packet.bytes.slice(packet.transport);
  t.true(manipulate(packet.bytes, 'ipv6', 0, { side: 'source', protocol: proto.udp, address: ip('fd00::9'), port: 5000 }));
  t.is(packet.src, ip('fd00::9'));
  t.deepEqual(packet.bytes.slice(packet.transport), before);
});
