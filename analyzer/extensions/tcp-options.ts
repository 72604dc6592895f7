/** TCP options as the targets that change them walk over them. */
import { updated } from '../packet/checksum.js';
import type { Packet } from '../packet/packet.js';

const minHeader = 20;

/** Length of the option at `at`; lengths of 0 and options of one byte count as 1 (optlen() in xt_TCPMSS.c and xt_TCPOPTSTRIP.c). */
export function optionLength(packet: Packet, at: number): number {
  return packet.u8(at) <= 1 ? 1 : packet.u8(at + 1) || 1;
}

/** How long the TCP header says it is, in bytes; undefined where that is too short, or more than the packet has. */
export function tcpHeaderLength(packet: Packet): number | undefined {
  if (packet.transportLength < minHeader) return undefined;
  const length = (packet.u8(packet.transport + 12) >>> 4) * 4;
  return length >= minHeader && length <= packet.transportLength ? length : undefined;
}

/** The TCP checksum follows a 16-bit word that went from `before` to `after`, wherever that stands. */
export function adjustTcpChecksum(packet: Packet, before: number, after: number): void {
  const at = packet.transport + 16;
  const checksum = updated(packet.u16(at), before, after);
  packet.bytes[at] = checksum >>> 8;
  packet.bytes[at + 1] = checksum & 0xff;
}
