/** TCP sequence numbers after a helper made data longer or shorter. @see net/netfilter/nf_conntrack_seqadj.c */
import { ctstatus, type Connection, type Direction, type SequenceAdjust } from '../../packet/connection.js';
import type { Packet } from '../../packet/packet.js';
import { rewriteTransport32 } from '../../packet/rewrite.js';

/** Is `a` behind `b` on the circle of sequence numbers? */
function isAfter(a: number, b: number): boolean {
  return ((b - a) | 0) < 0;
}

/** The data of a direction are `by` bytes longer from sequence number `at` on. @see nf_ct_seqadj_set() */
export function changeSequence(connection: Connection, direction: Direction, at: number, by: number): void {
  if (by === 0) return;
  connection.status |= ctstatus.SEQ_ADJUST;
  const way = connection.sequenceAdjust[direction] ??= { correctionPosition: 0, offsetBefore: 0, offsetAfter: 0 };
  // No more than one correction in a window; a retransmission does not count again.
  if (way.offsetBefore !== way.offsetAfter && !isAfter(at, way.correctionPosition)) return;
  way.correctionPosition = at;
  way.offsetBefore = way.offsetAfter;
  way.offsetAfter += by;
}

/** What the receiver's number `value` is to the sender. */
function acknowledged(value: number, way: SequenceAdjust | undefined): number {
  if (way === undefined) return value;
  const offset = isAfter(value - way.offsetBefore, way.correctionPosition) ? way.offsetAfter : way.offsetBefore;
  return (value - offset) >>> 0;
}

/** Sequence number, acknowledgement and SACK blocks of a packet of its connection; false where they cannot be read. @see nf_ct_seq_adjust() */
export function adjustSequence(packet: Packet, connection: Connection): boolean {
  const { transport, direction } = packet;
  if (packet.transportLength < 20) return false;
  const thisWay = connection.sequenceAdjust[direction];
  const otherWay = connection.sequenceAdjust[direction === 0 ? 1 : 0];
  const sequence = packet.u32(transport + 4);
  if (thisWay !== undefined) {
    const offset = isAfter(sequence, thisWay.correctionPosition) ? thisWay.offsetAfter : thisWay.offsetBefore;
    rewriteTransport32(packet, 4, (sequence + offset) >>> 0);
  }
  rewriteTransport32(packet, 8, acknowledged(packet.u32(transport + 8), otherWay));
  return adjustSack(packet, otherWay);
}

const endOfOptions = 0, noOperation = 1, sack = 5;

function adjustSack(packet: Packet, way: SequenceAdjust | undefined): boolean {
  const { transport } = packet;
  const end = (packet.u8(transport + 12) >> 4) * 4;
  if (end > packet.transportLength) return false;
  for (let at = 20; at < end;) {
    const kind = packet.u8(transport + at);
    if (kind === endOfOptions) return true;
    if (kind === noOperation) {
      at++;
      continue;
    }
    const length = packet.u8(transport + at + 1);
    if (at + 1 === end || length < 2 || at + length > end) return false;
    if (kind === sack && length >= 10 && (length - 2) % 8 === 0) {
      for (let edge = at + 2; edge < at + length; edge += 4) rewriteTransport32(packet, edge, acknowledged(packet.u32(transport + edge), way));
    }
    at += length;
  }
  return true;
}
