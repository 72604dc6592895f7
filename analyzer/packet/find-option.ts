/** Options of one byte, or of a kind, a length and what follows, as TCP and DCCP have them. */
import type { Packet } from './packet.js';

/**
 * Offset of the first option of this kind between bytes `from` and `to`, or −1. Kinds 0 and 1 are a byte long, and 0 is not the end here;
 * a length of 0 counts as 1.
 * @see tcp_find_option() in net/netfilter/xt_tcpudp.c
 */
export function findOption(packet: Packet, from: number, to: number, kind: number): number {
  for (let at = from; at < to;) {
    const found = packet.u8(at);
    if (found === kind) return at;
    at += found < 2 || at === to - 1 ? 1 : packet.u8(at + 1) || 1;
  }
  return -1;
}
