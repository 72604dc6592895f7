/** When a RST is believed. */
import { ctstatus, type Connection } from '../../packet/connection.js';
import type { Packet } from '../../packet/packet.js';
import { isBefore, isClosing, SideFlag, type TcpFlow } from './tcp-flow.js';
import type { TcpSegment } from './tcp-segment.js';
import { Segment, TcpState } from './tcp-states.js';

export interface ResetVerdict {
  /** If not, the flow keeps its state: the receiver may ask by a challenge ACK whether the RST was meant (RFC 5961). */
  readonly closes: boolean;
  /** The RST is good only if it is in window. */
  readonly checksWindow: boolean;
}

function isEstablished(flow: TcpFlow, connection: Connection): boolean {
  return flow.state === TcpState.Established && (connection.status & ctstatus.ASSURED) !== 0;
}

/** Its sequence number should be just what the other side has acknowledged. */
function judgeSequence(flow: TcpFlow, packet: Packet, connection: Connection, seq: number, ignoresInvalid: boolean): 'exact' | 'inexact' | 'invalid' {
  const { maxAck } = flow.seen[packet.direction === 0 ? 1 : 0];
  const established = isEstablished(flow, connection);
  // A zero most likely answers a SYN that we let through.
  if (seq === 0 && !established) return 'exact';
  if (isBefore(seq, maxAck) && !ignoresInvalid) return 'invalid';
  if (!established || seq === maxAck) return 'exact';
  const followsOwnData = flow.lastSegment === Segment.Ack && flow.lastDirection === packet.direction && seq === flow.lastEnd;
  return followsOwnData ? 'exact' : 'inexact';
}

/** Does it answer a SYN or an ACK that we let through without understanding it, or the challenge that a SYN met? */
function answersIgnored(flow: TcpFlow, packet: Packet, { status }: Connection, { seq, ack }: TcpSegment): boolean {
  const answersSyn = (status & ctstatus.SEEN_REPLY) !== 0 && flow.lastSegment === Segment.Syn && flow.lastDirection !== packet.direction;
  const answersAck = (status & ctstatus.ASSURED) === 0 && flow.lastSegment === Segment.Ack;
  if ((answersSyn || answersAck) && ack === flow.lastEnd) return true;
  return flow.state === TcpState.SynSent && flow.lastSegment === Segment.Ack && flow.lastDirection === 1 && seq === flow.lastAck;
}

/** Undefined: it is invalid. `ignoresInvalid`: nf_conntrack_tcp_ignore_invalid_rst. @see nf_conntrack_tcp_packet() in net/netfilter/nf_conntrack_proto_tcp.c, case TCP_CONNTRACK_CLOSE */
export function judgeReset(flow: TcpFlow, packet: Packet, connection: Connection, segment: TcpSegment, ignoresInvalid: boolean): ResetVerdict | undefined {
  // The flow is going down already, and its numbers may be those of another one.
  if (isClosing(flow)) return { closes: true, checksWindow: false };
  const other = flow.seen[packet.direction === 0 ? 1 : 0];
  let closes = true;
  if ((other.flags & SideFlag.MaxAckSet) !== 0 && flow.lastSegment !== Segment.Syn) {
    const sequence = judgeSequence(flow, packet, connection, segment.seq, ignoresInvalid);
    if (sequence === 'invalid') return undefined;
    if (sequence === 'exact') return { closes: true, checksWindow: true };
    closes = false;
  }
  return { closes, checksWindow: !answersIgnored(flow, packet, connection, segment) };
}
