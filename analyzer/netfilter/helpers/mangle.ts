/** Rewriting what a packet carries, where NAT would make it untrue. @see net/netfilter/nf_nat_helper.c */
import { protocolNumber as proto } from '../../packet/protocols.js';
import { put16 } from '../../packet/put.js';
import { setHeaderChecksum, setTransportChecksum } from '../../packet/rewrite.js';
import type { HelperCall } from './helper.js';
import { changeSequence } from './sequence-adjust.js';

/**
 * Puts ASCII text in place of `length` bytes at the offset `at` of the packet. Lengths, checksums and, for TCP,
 * the sequence numbers of what follows keep up. False: the packet would be too large.
 * @see nf_nat_mangle_tcp_packet(), nf_nat_mangle_udp_packet()
 */
export function mangle({ packet, connection, direction }: HelperCall, at: number, length: number, text: string): boolean {
  const { transport, protocol } = packet;
  const by = text.length - length;
  const total = packet.length + by;
  if (total > 0xffff) return false;
  const isSummed = protocol !== proto.udp || packet.u16(transport + 6) !== 0;
  const bytes = new Uint8Array(total);
  bytes.set(packet.bytes.subarray(0, at));
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
  bytes.set(packet.bytes.subarray(at + length, packet.length), at + text.length);
  if (packet.family === 'ipv4') put16(bytes, 2, total);
  else put16(bytes, 4, total - 40);
  if (protocol === proto.udp) put16(bytes, transport + 4, total - transport);
  packet.bytes = bytes;
  packet.fragmentSizes = [];
  setHeaderChecksum(packet);
  if (isSummed) setTransportChecksum(packet);
  if (protocol === proto.tcp) changeSequence(connection, direction, packet.u32(transport + 4), by);
  return true;
}
