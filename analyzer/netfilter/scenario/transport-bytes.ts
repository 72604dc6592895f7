/** Layer 4 of a packet in words: its header, payload and checksum. */
import { fold, sumOf } from '../../packet/checksum.js';
import { crc32c } from '../../packet/crc32c.js';
import { protocolNumber as protocols } from '../../packet/protocols.js';
import type { Family } from '../../values/value.js';
import type { ScenarioPacket } from '../scenario.js';
import { dccpBytes } from './dccp-bytes.js';
import { icmpBytes } from './icmp-bytes.js';
import { packetDefaults } from './packet-defaults.js';
import { bytesOfHex, payloadOf } from './payload.js';
import { sctpBytes } from './sctp-bytes.js';
import { tcpBytes } from './tcp-bytes.js';

/** What layer 4 depends on beside its own fields. */
export interface Surroundings {
  readonly family: Family;
  /** Addresses in network order: 4 or 16 bytes each. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** What an ICMP error quotes; empty where nothing. */
  readonly quoted: Uint8Array;
}

/** Where a protocol keeps its checksum, and what that covers beside the header and the payload. */
interface Checksum {
  readonly at: number;
  readonly kind: 'plain' | 'addresses' | 'crc32c';
}

const checksums: ReadonlyMap<number, Checksum> = new Map([
  [protocols.icmp, { at: 2, kind: 'plain' }], [protocols.igmp, { at: 2, kind: 'plain' }],
  [protocols.icmpv6, { at: 2, kind: 'addresses' }], [protocols.tcp, { at: 16, kind: 'addresses' }],
  [protocols.udp, { at: 6, kind: 'addresses' }], [protocols.udplite, { at: 6, kind: 'addresses' }],
  [protocols.dccp, { at: 6, kind: 'addresses' }], [protocols.sctp, { at: 8, kind: 'crc32c' }],
]);

/** `length` bytes of header and then the payload; `write` fills in the header. */
function withHeader(length: number, packet: ScenarioPacket, write: (view: DataView) => void): Uint8Array {
  const payload = payloadOf(packet);
  const bytes = new Uint8Array(length + payload.length);
  write(new DataView(bytes.buffer));
  bytes.set(payload, length);
  return bytes;
}

function udpBytes(packet: ScenarioPacket): Uint8Array {
  return withHeader(8, packet, view => {
    view.setUint16(0, packet.sport ?? 0);
    view.setUint16(2, packet.dport ?? 0);
    view.setUint16(4, packet.udplen ?? view.byteLength);
  });
}

/** Without `dport`: version 0 around IPv4. With it: the version of PPTP (RFC 2637), whose call id it is. */
function greBytes(packet: ScenarioPacket): Uint8Array {
  const { dport } = packet;
  return withHeader(dport === undefined ? 4 : 8, packet, view => {
    view.setUint16(0, dport === undefined ? 0 : 0x2001);
    view.setUint16(2, dport === undefined ? 0x0800 : 0x880b);
    if (dport === undefined) return;
    view.setUint16(4, view.byteLength - 8);
    view.setUint16(6, dport);
  });
}

/** IGMPv2: a membership report for the group that it is sent to. */
function igmpBytes(packet: ScenarioPacket, { destination }: Surroundings): Uint8Array {
  return withHeader(8, packet, view => {
    view.setUint8(0, packet.type ?? 0x16);
    view.setUint8(1, packet.code ?? 0);
    view.setUint32(4, packet.rest ?? new DataView(destination.buffer).getUint32(0));
  });
}

function espBytes(packet: ScenarioPacket): Uint8Array {
  return withHeader(8, packet, view => {
    view.setUint32(0, packet.spi ?? packetDefaults.spi);
    view.setUint32(4, packet.seq ?? packetDefaults.seq);
  });
}

/** With 96 bits of integrity check, and no next header behind it (59). */
function ahBytes(packet: ScenarioPacket): Uint8Array {
  return withHeader(24, packet, view => {
    view.setUint8(0, 59);
    view.setUint8(1, 4);
    view.setUint32(4, packet.spi ?? packetDefaults.spi);
    view.setUint32(8, packet.seq ?? packetDefaults.seq);
  });
}

function unsealed(packet: ScenarioPacket, protocol: number, around: Surroundings): Uint8Array {
  switch (protocol) {
    case protocols.tcp: return tcpBytes(packet);
    case protocols.udp: case protocols.udplite: return udpBytes(packet);
    case protocols.icmp: return icmpBytes(packet, 'ipv4', around.quoted);
    case protocols.icmpv6: return icmpBytes(packet, 'ipv6', around.quoted);
    case protocols.sctp: return sctpBytes(packet);
    case protocols.dccp: return dccpBytes(packet);
    case protocols.gre: return greBytes(packet);
    case protocols.igmp: return igmpBytes(packet, around);
    case protocols.esp: return espBytes(packet);
    case protocols.ah: return ahBytes(packet);
    default: return payloadOf(packet);
  }
}

/** Up to where the checksum covers `bytes`: UDP-Lite says so itself (RFC 3828), unless it says what cannot be. */
function coveredEnd(bytes: Uint8Array, protocol: number): number {
  const coverage = protocol === protocols.udplite ? ((bytes[4] ?? 0) << 8) | (bytes[5] ?? 0) : 0;
  return coverage >= 8 && coverage < bytes.length ? coverage : bytes.length;
}

function rightChecksum(bytes: Uint8Array, protocol: number, kind: 'plain' | 'addresses', { source, destination }: Pick<Surroundings, 'source' | 'destination'>): number {
  const pseudoHeader = kind === 'plain' ? 0 : fold(sumOf(source) + sumOf(destination) + protocol + bytes.length);
  const checksum = ~sumOf(bytes, 0, coveredEnd(bytes, protocol), pseudoHeader) & 0xffff;
  // A UDP checksum of 0 says that there is none.
  return checksum === 0 && (protocol === protocols.udp || protocol === protocols.udplite) ? 0xffff : checksum;
}

/** Turns a right checksum into a wrong one that is not 0 either, unless it was this very value. */
const spoil = 0x5a5a;

/** Writes the checksum that the packet is to carry into `bytes`, whose place for it is 0. */
function seal(bytes: Uint8Array, protocol: number, packet: ScenarioPacket, around: Surroundings): void {
  const checksum = checksums.get(protocol);
  if (checksum === undefined || (packet.nocsum === true && protocol === protocols.udp)) return;
  const { at, kind } = checksum;
  const view = new DataView(bytes.buffer);
  const wrong = packet.badcsum === true ? spoil : 0;
  if (kind === 'crc32c') view.setUint32(at, (crc32c(bytes) ^ wrong) >>> 0, true);
  else view.setUint16(at, rightChecksum(bytes, protocol, kind, around) ^ wrong);
}

/** Whether layer 4, of which all is there, has the checksum that it should have; undefined where it has none. */
export function hasRightChecksum(transport: Uint8Array, protocol: number, around: Pick<Surroundings, 'source' | 'destination'>): boolean | undefined {
  const checksum = checksums.get(protocol);
  if (checksum === undefined || transport.length < checksum.at + (checksum.kind === 'crc32c' ? 4 : 2)) return undefined;
  const { at, kind } = checksum;
  const blank = transport.slice();
  blank.fill(0, at, at + (kind === 'crc32c' ? 4 : 2));
  const view = new DataView(transport.buffer, transport.byteOffset);
  return kind === 'crc32c' ? view.getUint32(at, true) === crc32c(blank) : view.getUint16(at) === rightChecksum(blank, protocol, kind, around);
}

/** Everything behind the IP header, cut where `cut` says; the checksum is that of the whole. */
export function transportBytes(packet: ScenarioPacket, protocol: number, around: Surroundings): Uint8Array {
  let bytes: Uint8Array;
  if (packet.rest_hex !== undefined) bytes = bytesOfHex(packet.rest_hex);
  else {
    bytes = unsealed(packet, protocol, around);
    seal(bytes, protocol, packet, around);
  }
  return packet.cut === undefined ? bytes : bytes.subarray(0, Math.max(0, packet.cut));
}
