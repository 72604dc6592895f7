/** What is remembered of a TCP flow: `struct ip_ct_tcp`. Sequence numbers are unsigned, of 32 bits. */
import type { Direction } from '../../packet/connection.js';
import { Segment, TcpState } from './tcp-states.js';

/** Bits of `Side.flags` and `TcpFlow.lastFlags` (IP_CT_TCP_FLAG_*). */
export const SideFlag = {
  WindowScale: 0x01,
  SackPermitted: 0x02,
  /** It sent the first FIN. */
  CloseInit: 0x04,
  BeLiberal: 0x08,
  Unacknowledged: 0x10,
  MaxAckSet: 0x20,
  /** A challenge ACK may follow (RFC 5961); of `lastFlags`. */
  ExpectsChallenge: 0x40,
  /** Of `lastFlags`. */
  SimultaneousOpen: 0x80,
} as const;

/** One end: `struct ip_ct_tcp_state`. */
export class Side {
  /** Highest seq + length it sent. */
  end = 0;
  /** Highest seq that it may send: the other's last ack + window. */
  maxEnd = 0;
  /** Largest window it offered; 0: it has not been heard. */
  maxWindow = 0;
  /** Highest ack it sent; of MaxAckSet. */
  maxAck = 0;
  scale = 0;
  flags = 0;

  /** @see nf_ct_tcp_state_reset() in net/netfilter/nf_conntrack_proto_tcp.c */
  reset(): void {
    this.end = this.maxEnd = this.maxWindow = this.maxAck = this.scale = 0;
    this.flags &= SideFlag.BeLiberal;
  }
}

/** Of the last packet but where said otherwise; of ignored ones too, for what comes after them. */
export class TcpFlow {
  state: TcpState = TcpState.None;
  readonly seen: readonly [original: Side, reply: Side] = [new Side(), new Side()];
  lastDirection: Direction = 0;
  lastSegment: Segment = Segment.None;
  lastSeq = 0;
  lastAck = 0;
  lastEnd = 0;
  lastWindow = 0;
  lastScale = 0;
  lastFlags = 0;
  /** How often the last ACK came again. */
  retransmissions = 0;
}

/** a < b, around the circle. */
export function isBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function isAfter(a: number, b: number): boolean {
  return ((b - a) | 0) < 0;
}

/** It goes down, or has gone. @see tcp_can_early_drop() in net/netfilter/nf_conntrack_proto_tcp.c */
export function isClosing(flow: TcpFlow): boolean {
  return flow.state >= TcpState.FinWait && flow.state <= TcpState.Close;
}
