/** A TCP header in numbers. */
import type { Packet } from '../../packet/packet.js';
import { fin, segmentOf, syn, type Segment } from './tcp-states.js';

export interface TcpSegment {
  readonly flags: number;
  readonly kind: Segment;
  readonly seq: number;
  readonly ack: number;
  /** Without its scale. */
  readonly window: number;
  /** seq + length, SYN and FIN counting one each. */
  readonly end: number;
}

/** Of a packet whose header is there whole. @see segment_seq_plus_len() in net/netfilter/nf_conntrack_proto_tcp.c */
export function readSegment(packet: Packet): TcpSegment {
  const at = packet.transport;
  const flags = packet.u8(at + 13);
  const seq = packet.u32(at + 4);
  const length = packet.transportLength - (packet.u8(at + 12) >>> 4) * 4;
  const end = (seq + length + ((flags & syn) === 0 ? 0 : 1) + ((flags & fin) === 0 ? 0 : 1)) >>> 0;
  return { flags, kind: segmentOf(flags), seq, ack: packet.u32(at + 8), window: packet.u16(at + 14), end };
}
