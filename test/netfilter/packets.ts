/** Packets for tests: sound IP headers, protocols that matches look into, and values that rules like to ask for. */
import * as fc from 'fast-check';
import { Connection, ctstatus } from '../../analyzer/packet/connection.js';
import { ctstates } from '../../analyzer/packet/constraint.js';
import { Packet } from '../../analyzer/packet/packet.js';
import { protocolNumber } from '../../analyzer/packet/protocols.js';
import type { Family } from '../../analyzer/values/value.js';

type Bytes = readonly number[];

const word16 = (value: number): Bytes => [value >> 8, value & 255];
const byte = fc.integer({ min: 0, max: 255 });
const some = (length: number): fc.Arbitrary<Bytes> => fc.array(byte, { minLength: length, maxLength: length });
const port = fc.oneof(fc.constantFrom(0, 22, 53, 80, 443, 1024, 65_535), fc.integer({ min: 0, max: 65_535 })).map(word16);
const joined = (...parts: readonly fc.Arbitrary<Bytes>[]): fc.Arbitrary<Bytes> => fc.tuple(...parts).map(list => list.flat());

const tcp = fc.integer({ min: 0, max: 10 }).chain(words => joined(port, port, some(8), fc.constant([(5 + words) << 4]), some(7), some(4 * words), some(3)));
const chunk = fc.integer({ min: 0, max: 8 }).chain(length => joined(fc.constantFrom([0], [1], [14], [64]), some(1), fc.constant(word16(4 + length)), some(length + (-length & 3))));
const sctp = joined(port, port, some(8), fc.array(chunk, { minLength: 1, maxLength: 3 }).map(list => list.flat()));
const dccp = joined(port, port, fc.constant([7]), some(23));
const mobility = joined(fc.constant([59]), some(7));

/** A whole header of the protocol, and some of what follows. */
function transportOf(protocol: number): fc.Arbitrary<Bytes> {
  switch (protocol) {
    case protocolNumber.tcp: return tcp;
    case protocolNumber.sctp: return sctp;
    case protocolNumber.dccp: return dccp;
    case protocolNumber.mh: return mobility;
    default: return joined(port, port, some(20));
  }
}

const extensionHeader = fc.constantFrom(0, 43, 60).chain(kind => fc.tuple(fc.constant(kind), some(1), some(5)));

function ipv6Payload(protocol: number, transport: Bytes, headers: readonly (readonly [number, Bytes, Bytes])[]): readonly [first: number, payload: Bytes] {
  let [first, payload] = [protocol, transport];
  for (const [kind, start, rest] of headers) {
    payload = [first, 0, ...start, ...rest, ...payload];
    first = kind;
  }
  return [first, payload];
}

function ipv4Bytes(protocol: number, transport: Bytes, fields: Bytes, fragment: number): Uint8Array {
  const [tos = 0, ttl = 64, ...addresses] = fields;
  return Uint8Array.of(0x45, tos, ...word16(20 + transport.length), 0, 7, ...word16(fragment), ttl, protocol, 0, 0, ...addresses.slice(0, 8), ...transport);
}

function ipv6Bytes(first: number, payload: Bytes, fields: Bytes): Uint8Array {
  const [tos = 0, ttl = 64, ...addresses] = fields;
  return Uint8Array.of(0x60 | (tos >> 4), (tos & 15) << 4, 0, 0, ...word16(payload.length), first, ttl, ...addresses.slice(0, 32), ...payload);
}

const protocols = Object.values(protocolNumber);
const fragmentField = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, 2, 0x2000, 0x4000, 185) });

/** Bytes of a whole packet, of the protocol where one is given. */
export function wholeBytes(family: Family, protocol?: number): fc.Arbitrary<Uint8Array> {
  const chosen = protocol === undefined ? fc.constantFrom(...protocols) : fc.constant(protocol);
  return chosen.chain(one => fc.tuple(transportOf(one), some(2 + 32), fragmentField, fc.array(extensionHeader, { maxLength: 2 }), fc.constant(one))).map(([transport, fields, fragment, headers, number]) =>
    family === 'ipv4' ? ipv4Bytes(number, transport, fields, fragment) : ipv6Bytes(...ipv6Payload(number, transport, headers), fields));
}

/** The same, cut short behind the IP header, which knows of it; or bytes that mean nothing. */
export function brokenBytes(family: Family): fc.Arbitrary<Uint8Array> {
  const header = family === 'ipv4' ? 20 : 40;
  const cut = fc.tuple(wholeBytes(family), fc.integer({ min: 0, max: 60 })).map(([bytes, length]) => {
    const short = bytes.slice(0, header + length);
    const [at, total] = family === 'ipv4' ? [2, short.length] : [4, short.length - header];
    short.set(word16(total), at);
    return short;
  });
  return fc.oneof(cut, fc.uint8Array({ maxLength: 120 }));
}

/** What the kernel knows of a packet besides its bytes. */
const surroundings = fc.record({
  state: fc.integer({ min: -1, max: 4 }), status: fc.integer({ min: 0, max: 0x3fff }), mark: fc.constantFrom(0, 1, 16, 0xffff_ffff), direction: fc.constantFrom<(0 | 1)[]>(0, 1),
  mac: fc.boolean(), linkType: fc.constantFrom('unicast', 'broadcast', 'multicast', 'loopback'), ports: fc.tuple(byte, byte),
  owner: fc.option(fc.record({ uid: fc.constantFrom(0, 33, 1000), gid: fc.constantFrom(0, 33) }), { nil: undefined }),
});

/** A packet at a hook, with or without a connection. */
export function packetOf(family: Family, bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Packet> {
  return fc.tuple(bytes, surroundings).map(([raw, about]) => {
    const packet = new Packet(family, raw);
    packet.in = 'eth0';
    packet.mark = about.mark;
    packet.direction = about.direction;
    packet.ctstate = about.state;
    packet.linkType = about.linkType;
    packet.owner = about.owner;
    if (about.mac) packet.sourceMac = Uint8Array.of(2, 0, 0, 0, 0, 9);
    if (about.state >= ctstates.NEW && about.state !== ctstates.UNTRACKED) {
      const { src, dst, protocol } = packet;
      const [sport, dport] = about.ports;
      packet.connection = new Connection({ src, dst, protocol, sport, dport }, { src: dst, dst: src, protocol, sport: dport, dport: sport });
      packet.connection.status = about.status | ctstatus.CONFIRMED;
      packet.connection.mark = about.mark;
    }
    return packet;
  });
}
