/** SYNs that make no sense to us may to both ends: we let them pass, and believe the SYN/ACK that answers. */
import type { Direction } from '../../packet/connection.js';
import type { Packet } from '../../packet/packet.js';
import { Side, SideFlag, type TcpFlow } from './tcp-flow.js';
import { readSynOptions } from './tcp-options.js';
import type { TcpSegment } from './tcp-segment.js';
import { Segment, TcpState } from './tcp-states.js';

/** Does this SYN/ACK acknowledge the SYN that was ignored just before? */
export function answersIgnoredSyn(flow: TcpFlow, packet: Packet, segment: TcpSegment): boolean {
  return segment.kind === Segment.SynAck && flow.lastSegment === Segment.Syn
    && flow.lastDirection !== packet.direction && segment.ack === flow.lastEnd;
}

/** Both ends are at one, and we were not: takes the SYN that was noted for the flow's first. `direction`: the SYN/ACK's. */
export function resynchronize(flow: TcpFlow, direction: Direction): void {
  const client = flow.seen[flow.lastDirection];
  flow.lastFlags &= ~SideFlag.ExpectsChallenge;
  client.end = client.maxEnd = flow.lastEnd;
  client.maxWindow = Math.max(flow.lastWindow, 1);
  client.scale = flow.lastScale;
  client.flags = flow.lastFlags;
  flow.seen[direction].reset();
}

function noteSyn(flow: TcpFlow, packet: Packet, state: TcpState): void {
  const noted = new Side();
  readSynOptions(packet, noted);
  flow.lastFlags = noted.flags & (SideFlag.WindowScale | SideFlag.SackPermitted);
  flow.lastScale = noted.scale;
  if (state === TcpState.LastAck) flow.lastFlags |= SideFlag.ExpectsChallenge;
}

/** Notes a packet that is let through and changes nothing. */
export function rememberIgnored(flow: TcpFlow, packet: Packet, segment: TcpSegment, state: TcpState): void {
  flow.lastSegment = segment.kind;
  flow.lastDirection = packet.direction;
  flow.lastSeq = segment.seq;
  flow.lastEnd = segment.end;
  flow.lastWindow = segment.window;
  if (segment.kind === Segment.Syn && packet.direction === 0) noteSyn(flow, packet, state);
  if (segment.kind === Segment.Ack && packet.direction === 1 && state === TcpState.SynSent) flow.lastAck = segment.ack;
}
