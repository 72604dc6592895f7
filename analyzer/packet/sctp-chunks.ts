/** The chunks of an SCTP packet. */
import type { Packet } from './packet.js';

const commonHeader = 12;
const chunkHeader = 4;

/**
 * Calls `visit` with the type and flags of each chunk, until it answers something. Undefined where it never did;
 * `broken` where a chunk has no length or its header is not there.
 * @see match_packet() in net/netfilter/xt_sctp.c
 */
export function visitChunks<T>(packet: Packet, visit: (type: number, flags: number) => T | undefined): T | 'broken' | undefined {
  const end = packet.bytes.length;
  let at = packet.transport + commonHeader;
  do {
    const length = packet.u16(at + 2);
    if (at + chunkHeader > end || length === 0) return 'broken';
    const answer = visit(packet.u8(at), packet.u8(at + 1));
    if (answer !== undefined) return answer;
    at += (length + 3) & ~3;
  } while (at < end);
  return undefined;
}
