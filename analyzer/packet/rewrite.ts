/** Changes to a packet's bytes, with the checksums that cover them kept up: wrong ones stay wrong, as in the kernel. */
import { fold, sumOf, updated } from './checksum.js';
import type { Packet } from './packet.js';
import { put16 } from './put.js';

const icmp6 = 58, tcp = 6, udp = 17, udplite = 136, dccp = 33;

/** Where the checksum of layer 4 is, from the start of its header; undefined where it has none that addresses or ports change. */
function transportChecksum(packet: Packet): { readonly at: number; readonly coversAddresses: boolean } | undefined {
  const { protocol, fragmentOffset } = packet;
  if (fragmentOffset > 0) return undefined;
  const offset = protocol === tcp ? 16 : protocol === udp || protocol === udplite ? 6 : protocol === dccp ? 6 : protocol === icmp6 || protocol === 1 ? 2 : undefined;
  if (offset === undefined || packet.transportLength < offset + 2) return undefined;
  if (protocol === udp && packet.u16(packet.transport + 6) === 0) return undefined;
  return { at: packet.transport + offset, coversAddresses: protocol !== 1 };
}

/** Writes a 16-bit word and moves the checksum at `checksumAt`, if there is one, along. A UDP checksum that becomes 0 is sent as 0xffff. */
function change16(packet: Packet, at: number, value: number, checksums: readonly (number | undefined)[]): void {
  const { bytes } = packet;
  const before = packet.u16(at);
  if (before === value) return;
  put16(bytes, at, value);
  for (const checksumAt of checksums) {
    if (checksumAt === undefined) continue;
    const after = updated(packet.u16(checksumAt), before, value);
    const isUdp = packet.protocol === udp && checksumAt >= packet.transport;
    put16(bytes, checksumAt, after === 0 && isUdp ? 0xffff : after);
  }
}

function wordsOf(packet: Packet, address: number | bigint): readonly number[] {
  const value = BigInt(address);
  const count = packet.family === 'ipv4' ? 2 : 8;
  return Array.from({ length: count }, (_, index) => Number((value >> BigInt(16 * (count - 1 - index))) & 0xffffn));
}

/** Rewrites an address of the IP header; the checksums of the header and of layer 4 follow. */
export function rewriteAddress(packet: Packet, side: 'source' | 'destination', address: number | bigint): void {
  const isV4 = packet.family === 'ipv4';
  const at = isV4 ? (side === 'source' ? 12 : 16) : side === 'source' ? 8 : 24;
  const layer4 = transportChecksum(packet);
  const checksums = [isV4 ? 10 : undefined, layer4?.coversAddresses === true ? layer4.at : undefined];
  wordsOf(packet, address).forEach((word, index) => { change16(packet, at + 2 * index, word, checksums); });
}

/** Rewrites the 16-bit word `offset` bytes behind the start of the transport header (a port, an ICMP id, a window); its checksum follows. */
export function rewriteTransport16(packet: Packet, offset: number, value: number): void {
  change16(packet, packet.transport + offset, value, [transportChecksum(packet)?.at]);
}

/** Rewrites the 32-bit word there (a sequence number); its checksum follows. */
export function rewriteTransport32(packet: Packet, offset: number, value: number): void {
  rewriteTransport16(packet, offset, value >>> 16);
  rewriteTransport16(packet, offset + 2, value & 0xffff);
}

/** Sets TTL or hop limit, 0 to 255. */
export function rewriteTtl(packet: Packet, ttl: number): void {
  if (packet.family === 'ipv4') change16(packet, 8, (ttl << 8) | packet.u8(9), [10]);
  else packet.bytes[7] = ttl;
}

/** Of IPv4. */
export function setDontFragment(packet: Packet): void {
  change16(packet, 6, packet.u16(6) | 0x4000, [10]);
}

/** Sets the TOS byte or traffic class, 0 to 255. */
export function rewriteTos(packet: Packet, tos: number): void {
  if (packet.family === 'ipv4') change16(packet, 0, (packet.u8(0) << 8) | tos, [10]);
  else put16(packet.bytes, 0, (packet.u16(0) & 0xf00f) | (tos << 4));
}

/** The sum of the pseudo header of layer 4 (RFC 793, RFC 8200). */
export function pseudoHeaderSum(packet: Packet, protocol: number, length: number): number {
  const { bytes, family } = packet;
  const addresses = family === 'ipv4' ? sumOf(bytes, 12, 20) : sumOf(bytes, 8, 40);
  return fold(addresses + protocol + (length >>> 16) + (length & 0xffff));
}

/** Works out the checksum of the IPv4 header anew. */
export function setHeaderChecksum(packet: Packet): void {
  if (packet.family !== 'ipv4') return;
  put16(packet.bytes, 10, 0);
  put16(packet.bytes, 10, ~sumOf(packet.bytes, 0, packet.u8(0) % 16 * 4) & 0xffff);
}

/** Works out the checksum of layer 4 anew, over all that follows its header (TCP, UDP, UDP-Lite whole, DCCP whole, ICMP, ICMPv6). */
export function setTransportChecksum(packet: Packet): void {
  const where = transportChecksum(packet) ?? (packet.protocol === udp && packet.transportLength >= 8 ? { at: packet.transport + 6, coversAddresses: true } : undefined);
  if (where === undefined) return;
  put16(packet.bytes, where.at, 0);
  const { transport, transportLength, protocol } = packet;
  const length = protocol === udp ? packet.u16(transport + 4) : transportLength;
  const sum = sumOf(packet.bytes, transport, packet.bytes.length, where.coversAddresses ? pseudoHeaderSum(packet, protocol, length) : 0);
  const checksum = ~sum & 0xffff;
  put16(packet.bytes, where.at, checksum === 0 && protocol === udp ? 0xffff : checksum);
}
