/** What `-j TCPMSS` does to a packet. */
import type { Packet } from '../packet/packet.js';
import { updated } from '../packet/checksum.js';
import { adjustTcpChecksum, optionLength, tcpHeaderLength } from './tcp-options.js';

const mssOption = 2, mssLength = 4, minHeader = 20, maxHeader = 60;
/** What a host that names no MSS must be taken to mean (RFC 1122, RFC 8200). */
const usualMss = { ipv4: 536, ipv6: 1220 } as const;

/** The option's place, or undefined where there is none. Its length must be right. */
function findMss(packet: Packet, headerLength: number): number | undefined {
  const end = packet.transport + headerLength - mssLength;
  for (let at = packet.transport + minHeader; at <= end; at += optionLength(packet, at)) {
    if (packet.u8(at) === mssOption && packet.u8(at + 1) === mssLength) return at;
  }
  return undefined;
}

/** An MSS is lowered, never raised. The checksum follows as if the option stood at an even place, as the kernel has it. */
function lower(packet: Packet, at: number, mss: number): void {
  const before = packet.u16(at + 2);
  if (before <= mss) return;
  packet.bytes[at + 2] = mss >>> 8;
  packet.bytes[at + 3] = mss & 0xff;
  adjustTcpChecksum(packet, before, mss);
}

/** IPv4 has its checksum in the header; wrong ones stay wrong. */
function lengthen(packet: Packet, bytes: Uint8Array): void {
  const at = packet.family === 'ipv4' ? 2 : 4;
  const before = packet.u16(at);
  const after = (before + mssLength) & 0xffff;
  bytes[at] = after >>> 8;
  bytes[at + 1] = after & 0xff;
  if (packet.family !== 'ipv4') return;
  const checksum = updated(packet.u16(10), before, after);
  bytes[10] = checksum >>> 8;
  bytes[11] = checksum & 0xff;
}

/** The option goes in front of the others. */
function insert(packet: Packet, headerLength: number, mss: number): void {
  const { bytes, transport, transportLength } = packet;
  const at = transport + minHeader;
  const longer = new Uint8Array(bytes.length + mssLength);
  longer.set(bytes.subarray(0, at));
  longer.set([mssOption, mssLength, mss >>> 8, mss & 0xff], at);
  longer.set(bytes.subarray(at), at + mssLength);
  longer[transport + 12] = ((headerLength + mssLength) / 4) << 4 | (packet.u8(transport + 12) & 15);
  lengthen(packet, longer);
  const offsetBefore = packet.u16(transport + 12);
  packet.bytes = longer;
  adjustTcpChecksum(packet, transportLength, transportLength + mssLength);
  adjustTcpChecksum(packet, 0, mssOption << 8 | mssLength);
  adjustTcpChecksum(packet, 0, mss);
  adjustTcpChecksum(packet, offsetBefore, packet.u16(transport + 12));
}

/**
 * Lowers the MSS to `mss`, or adds one where there is none and no data follows the header. False where the packet is to be dropped.
 * @see tcpmss_mangle_packet() in net/netfilter/xt_TCPMSS.c
 */
export function clampMss(packet: Packet, mss: number): boolean {
  if (packet.fragmentOffset > 0) return true;
  const headerLength = tcpHeaderLength(packet);
  if (headerLength === undefined) return false;
  const at = findMss(packet, headerLength);
  if (at !== undefined) lower(packet, at, mss);
  else if (packet.transportLength === headerLength && headerLength < maxHeader) insert(packet, headerLength, Math.min(mss, usualMss[packet.family]));
  return true;
}
