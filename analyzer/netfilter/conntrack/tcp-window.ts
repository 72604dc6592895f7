/**
 * Is a segment one that its receiver would take? Tracking watches both ends' sequence numbers and windows and guesses
 * what each has seen ("Real Stateful TCP Packet Filtering in IP Filter", Guido van Rooij, 2000). A segment is in window if
 *
 *   I    seq ≤ sender.maxEnd                        it is not beyond what the receiver allowed
 *   II   end ≥ sender.end − receiver.maxWindow      nor older than what the receiver may still ask for
 *   III  ack ≤ receiver.end                         it acknowledges what we have seen sent
 *   IV   ack ≥ receiver.end − max(66000, sender.maxWindow)   and not what is long past
 *
 * with the highest right edge of a SACK block in place of ack.
 * @see tcp_in_window() in net/netfilter/nf_conntrack_proto_tcp.c
 */
import type { Connection, Direction } from '../../packet/connection.js';
import type { Packet } from '../../packet/packet.js';
import { isAfter, isBefore, SideFlag, type Side, type TcpFlow } from './tcp-flow.js';
import { highestSack, readSynOptions } from './tcp-options.js';
import type { TcpSegment } from './tcp-segment.js';
import { ack as ackFlag, rst, Segment, syn, TcpState } from './tcp-states.js';

export const Window = {
  Inside: 0,
  /** Harmless: let it pass, learn nothing from it. */
  Ignore: 1,
  Outside: 2,
} as const;
export type Window = (typeof Window)[keyof typeof Window];

const minAckWindow = 66_000;

/** A segment on its way from `sender` to `receiver`, its numbers being corrected step by step. */
interface Judged {
  readonly sender: Side;
  readonly receiver: Side;
  readonly direction: Direction;
  readonly flags: number;
  seq: number;
  end: number;
  ack: number;
  sack: number;
}

/** What a helper's changes to the data have moved the receiver's sequence numbers by. @see nf_ct_seq_offset() in net/netfilter/nf_conntrack_seqadj.c */
function sequenceOffset(connection: Connection, direction: Direction, seq: number): number {
  const adjust = connection.sequenceAdjust[direction];
  if (adjust === undefined) return 0;
  return isAfter(seq, adjust.correctionPosition) ? adjust.offsetAfter : adjust.offsetBefore;
}

function judged(flow: TcpFlow, packet: Packet, connection: Connection, segment: TcpSegment): Judged {
  const { direction } = packet;
  const sender = flow.seen[direction];
  const other: Direction = direction === 0 ? 1 : 0;
  const receiver = flow.seen[other];
  const { seq, end, ack, flags } = segment;
  const sack = (receiver.flags & SideFlag.SackPermitted) === 0 ? ack : highestSack(packet, ack);
  const offset = sequenceOffset(connection, other, (ack - 1) >>> 0);
  return { sender, receiver, direction, flags, seq, end, ack: (ack - offset) >>> 0, sack: (sack - offset) >>> 0 };
}

/** @see tcp_init_sender() in net/netfilter/nf_conntrack_proto_tcp.c */
function beginSide(j: Judged, packet: Packet, window: number): void {
  const { sender, receiver } = j;
  sender.end = sender.maxEnd = j.end;
  sender.maxWindow = Math.max(window, 1);
  readSynOptions(packet, sender);
  // Scaling holds only where both have offered it.
  const scales = (sender.flags & receiver.flags & SideFlag.WindowScale) !== 0;
  if (j.direction === 1 && !scales) sender.scale = receiver.scale = 0;
}

/** We are in the middle of a connection: what the packet says must do. */
function pickUpSide(j: Judged, window: number): void {
  const { sender, receiver } = j;
  sender.end = j.end;
  sender.maxWindow = Math.max((window << sender.scale) >>> 0, 1);
  sender.maxEnd = (j.end + sender.maxWindow) >>> 0;
  if (receiver.maxWindow === 0) receiver.end = receiver.maxEnd = j.sack;
  else if (j.sack === ((receiver.end + 1) >>> 0)) receiver.end = j.sack; // the reply to a keep-alive
}

/** Sets a side up that has not been heard, or that begins anew. True: a simultaneous open, nothing more to judge. */
function learnSide(flow: TcpFlow, j: Judged, packet: Packet, window: number): boolean {
  const isSyn = (j.flags & syn) !== 0, hasAck = (j.flags & ackFlag) !== 0;
  if (j.sender.maxWindow === 0) {
    if (!isSyn) {
      pickUpSide(j, window);
      return false;
    }
    beginSide(j, packet, window);
    return !hasAck;
  }
  const opening = flow.state === TcpState.SynSent || flow.state === TcpState.SynRecv;
  if (!isSyn || !opening || !isAfter(j.end, j.sender.end)) return false;
  beginSide(j, packet, window);
  return j.direction === 1 && !hasAck;
}

/** A missing ack counts as right, as does the zero that broken stacks put in a RST/ACK; and so the seq of a RST that answers a SYN. */
function fillIn(flow: TcpFlow, j: Judged): void {
  const hasAck = (j.flags & ackFlag) !== 0, isRst = (j.flags & rst) !== 0;
  if (!hasAck || (isRst && j.ack === 0)) j.ack = j.sack = j.receiver.end;
  if (isRst && j.seq === 0 && flow.state === TcpState.SynSent) j.seq = j.end = j.sender.end;
}

/** Data beyond the window: if only that is wrong, believe the sender, for the ack will come. */
function judgeBeyond(j: Judged, ackOk: boolean, ackSeen: boolean, endOk: boolean): Window {
  const overshot = (j.end - j.sender.maxEnd + 1) >>> 0;
  if (j.receiver.maxWindow === 0 || !endOk || !ackOk || !ackSeen || overshot > j.receiver.maxWindow) return Window.Outside;
  j.sender.end = j.end;
  j.sender.flags |= SideFlag.Unacknowledged;
  return Window.Ignore;
}

function judge(j: Judged): Window {
  const { sender, receiver } = j;
  const seqOk = isBefore(j.seq, sender.maxEnd + 1);
  const endOk = isAfter(j.end, sender.end - receiver.maxWindow - 1);
  const ackSeen = isBefore(j.sack, receiver.end + 1);
  const ackOk = isAfter(j.sack, receiver.end - Math.max(sender.maxWindow, minAckWindow) - 1);
  if (!seqOk) return judgeBeyond(j, ackOk, ackSeen, endOk);
  if (!ackSeen) return Window.Outside;
  return (receiver.maxWindow === 0 || endOk) && ackOk ? Window.Inside : Window.Ignore;
}

/** What a good segment tells of both sides. */
function learn(j: Judged, window: number): void {
  const { sender, receiver } = j;
  const offered = (window + (j.sack - j.ack)) >>> 0;
  if (sender.maxWindow < offered) sender.maxWindow = offered;
  if (isAfter(j.end, sender.end)) {
    sender.end = j.end;
    sender.flags |= SideFlag.Unacknowledged;
  }
  if ((j.flags & ackFlag) !== 0 && ((sender.flags & SideFlag.MaxAckSet) === 0 || isAfter(j.ack, sender.maxAck))) {
    sender.maxAck = j.ack;
    sender.flags |= SideFlag.MaxAckSet;
  }
  if (receiver.maxWindow !== 0 && isAfter(j.end, sender.maxEnd)) receiver.maxWindow = (receiver.maxWindow + j.end - sender.maxEnd) >>> 0;
  if (isAfter(j.sack + window, receiver.maxEnd - 1)) receiver.maxEnd = (j.sack + Math.max(window, 1)) >>> 0;
  if (j.ack === receiver.end) receiver.flags &= ~SideFlag.Unacknowledged;
}

/** Counts an ACK that came again. */
function countRetransmission(flow: TcpFlow, j: Judged, rawWindow: number): void {
  const again = flow.lastDirection === j.direction && flow.lastSeq === j.seq && flow.lastAck === j.ack
    && flow.lastEnd === j.end && flow.lastWindow === rawWindow;
  flow.retransmissions = again ? flow.retransmissions + 1 : 0;
  flow.lastDirection = j.direction;
  flow.lastSeq = j.seq;
  flow.lastAck = j.ack;
  flow.lastEnd = j.end;
  flow.lastWindow = rawWindow;
}

/** Judges a segment and keeps both sides' numbers up. `liberal`: take what is outside for good, and learn nothing from it (nf_conntrack_tcp_be_liberal). */
export function checkWindow(flow: TcpFlow, packet: Packet, connection: Connection, segment: TcpSegment, liberal: boolean): Window {
  const j = judged(flow, packet, connection, segment);
  if (learnSide(flow, j, packet, segment.window)) return Window.Inside;
  fillIn(flow, j);
  const verdict = judge(j);
  if (verdict !== Window.Inside) return liberal || (j.sender.flags & SideFlag.BeLiberal) !== 0 ? Window.Inside : verdict;
  const scale = (j.flags & syn) === 0 ? j.sender.scale : 0;
  learn(j, (segment.window << scale) >>> 0);
  if (segment.kind === Segment.Ack) countRetransmission(flow, j, segment.window);
  return Window.Inside;
}
