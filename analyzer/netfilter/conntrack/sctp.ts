/** SCTP: its tracker. */
import { ctstatus, type Connection, type Direction } from '../../packet/connection.js';
import { crc32c } from '../../packet/crc32c.js';
import type { Packet } from '../../packet/packet.js';
import { Chunk, isHeartbeat, nextSctpState, type SctpStateName } from './sctp-states.js';
import { isConfirmed, Outcome, refresh, type ConntrackHost, type Tracker, type TrackingHook } from './tracker.js';
import { verifiesChecksum } from './transport-checksum.js';

/** What is remembered of a flow: `struct ip_ct_sctp`. */
export class SctpFlow {
  state: SctpStateName = 'NONE';
  /** Verification tags that packets of each direction carry; 0: not known. */
  readonly tags: [original: number, reply: number] = [0, 0];
  /** Which side has sent an INIT that is not settled yet. */
  readonly inits: [original: boolean, reply: boolean] = [false, false];
  /** A heartbeat came with a tag that was not expected, in this direction. */
  strangeHeartbeat: Direction | undefined;
  /** It was there before we looked, and whoever told of it does not say its tags: the first packet of each direction does. */
  learnsTags = false;
}

interface SctpChunk {
  readonly type: number;
  readonly flags: number;
  readonly length: number;
  /** Where it is in the packet. */
  readonly at: number;
}

/** Chunk headers that are there whole, in order; undefined where a length is zero. */
function readChunks(packet: Packet): readonly SctpChunk[] | undefined {
  const chunks: SctpChunk[] = [];
  const end = packet.bytes.length;
  for (let at = packet.transport + 12; at + 4 <= end;) {
    const length = packet.u16(at + 2);
    if (length === 0) return undefined;
    chunks.push({ type: packet.u8(at), flags: packet.u8(at + 1), length, at });
    at += (length + 3) & ~3;
  }
  return chunks;
}

const standAlone: ReadonlySet<number> = new Set([Chunk.Init, Chunk.InitAck, Chunk.ShutdownComplete]);
const comeFirst: ReadonlySet<number> = new Set([Chunk.CookieAck, Chunk.CookieEcho]);

/** There are chunks, and they may stand together so. @see do_basic_checks() in net/netfilter/nf_conntrack_proto_sctp.c */
function mayStandTogether(chunks: readonly SctpChunk[]): boolean {
  const mustBeOne = chunks.some(chunk => standAlone.has(chunk.type));
  return chunks.length > 0 && !(mustBeOne && chunks.length > 1) && !chunks.some((chunk, index) => index > 0 && comeFirst.has(chunk.type));
}

/** @see sctp_error() in net/netfilter/nf_conntrack_proto_sctp.c */
function isBroken(host: ConntrackHost, packet: Packet, hook: TrackingHook): boolean {
  const { transport, transportLength, bytes } = packet;
  if (transportLength < 12) return true;
  if (!verifiesChecksum(host, packet, hook)) return false;
  const crc = crc32c(bytes, transport, transport + 8);
  // Alone among its kind it is sent low byte first.
  return [0, 1, 2, 3].some(index => packet.u8(transport + 8 + index) !== ((crc >>> (8 * index)) & 0xff));
}

/** INIT and INIT ACK carry the tag that the other side is to use; undefined where they are cut off. */
function initTag(packet: Packet, chunk: SctpChunk): number | undefined {
  return chunk.at + 20 > packet.bytes.length ? undefined : packet.u32(chunk.at + 4);
}

const neverFirst: ReadonlySet<number> = new Set([Chunk.Abort, Chunk.ShutdownComplete, Chunk.CookieAck]);

/** Undefined: nothing begins so. @see sctp_new() in net/netfilter/nf_conntrack_proto_sctp.c */
function beginFlow(packet: Packet, chunks: readonly SctpChunk[], tag: number): SctpFlow | undefined {
  const flow = new SctpFlow();
  for (const chunk of chunks) {
    const state = nextSctpState('NONE', chunk.type, 0);
    if (neverFirst.has(chunk.type) || state === undefined || state === 'NONE') return undefined;
    if (chunk.type === Chunk.Init) {
      const asked = initTag(packet, chunk);
      if (tag !== 0 || asked === undefined) return undefined;
      flow.tags[1] = asked;
    } else flow.tags[isHeartbeat(chunk.type) ? 0 : 1] = tag;
  }
  return flow;
}

/** Packets with these have their tags verified chunk by chunk. */
const ownTagRules: ReadonlySet<number> = new Set([
  Chunk.Init, Chunk.ShutdownComplete, Chunk.CookieEcho, Chunk.Abort, Chunk.ShutdownAck, Chunk.Heartbeat, Chunk.HeartbeatAck,
]);

/** One packet's way through its chunks. */
interface Passage {
  readonly flow: SctpFlow;
  readonly packet: Packet;
  readonly connection: Connection;
  readonly direction: Direction;
  readonly other: Direction;
  readonly tag: number;
  readonly hasData: boolean;
  /** Let it pass, but do not let the connection live longer for it. */
  ignored: boolean;
}

/** `skip`: the chunk changes no state. */
type ChunkVerdict = 'go on' | 'skip' | 'invalid';

/** A heartbeat may come with another tag once, and is believed if the other side answers with it. */
function checkHeartbeat(p: Passage, type: number): ChunkVerdict {
  const { flow, direction, tag } = p;
  if (flow.tags[direction] === 0) flow.tags[direction] = tag;
  else if (flow.tags[direction] === tag) flow.strangeHeartbeat = undefined;
  else {
    if (p.hasData || p.ignored) return 'invalid';
    if (type === Chunk.Heartbeat) {
      flow.strangeHeartbeat = direction;
      p.ignored = true;
      return 'skip';
    }
    if (flow.strangeHeartbeat !== p.other) return 'invalid';
    flow.strangeHeartbeat = undefined;
    flow.tags[direction] = tag;
    flow.tags[p.other] = 0;
  }
  return 'go on';
}

/** RFC 9260, section 8.5.1. */
function checkTag(p: Passage, chunk: SctpChunk): ChunkVerdict {
  const { flow, direction, other, tag } = p;
  const expected = (isRight: boolean): ChunkVerdict => isRight ? 'go on' : 'invalid';
  switch (chunk.type) {
    case Chunk.Init: return expected(tag === 0);
    case Chunk.Abort: case Chunk.ShutdownComplete: return expected(tag === flow.tags[(chunk.flags & 1) === 0 ? direction : other]);
    case Chunk.CookieEcho: return expected(tag === flow.tags[direction]);
    case Chunk.CookieAck:
      flow.inits[0] = flow.inits[1] = false;
      return 'go on';
    case Chunk.Heartbeat: case Chunk.HeartbeatAck: return checkHeartbeat(p, chunk.type);
    default: return 'go on';
  }
}

/** Both sides may open at once; then tags must fit what was asked. */
function noteTag(p: Passage, chunk: SctpChunk, old: SctpStateName, next: SctpStateName): boolean {
  if (chunk.type !== Chunk.Init && chunk.type !== Chunk.InitAck) return true;
  const { flow, direction, other } = p;
  const asked = initTag(p.packet, chunk);
  if (asked === undefined) return false;
  if (chunk.type === Chunk.Init) {
    if (flow.inits[direction] && flow.inits[other]) flow.inits[other] = false;
    flow.inits[direction] = true;
    // An INIT that comes again must not keep the entry alive for ever.
    if (old === 'CLOSED' && next === 'CLOSED' && isConfirmed(p.connection)) p.ignored = true;
  } else {
    const known = flow.tags[other];
    if (!flow.inits[other] && known !== 0 && known !== asked) return false;
    if (flow.inits[direction] && flow.inits[other] && known !== asked) return false;
  }
  flow.tags[other] = asked;
  return true;
}

function passChunk(p: Passage, chunk: SctpChunk): boolean {
  const { flow, connection } = p;
  const verdict = checkTag(p, chunk);
  if (verdict !== 'go on') return verdict === 'skip';
  const old = flow.state;
  const next = nextSctpState(old, chunk.type, p.direction);
  if (next === undefined || !noteTag(p, chunk, old, next)) return false;
  flow.state = next;
  if (old !== next && next === 'ESTABLISHED') connection.status |= ctstatus.ASSURED;
  return true;
}

function timeoutName(state: SctpStateName): string {
  return `net.netfilter.nf_conntrack_sctp_timeout_${state === 'NONE' ? 'closed' : state.toLowerCase()}`;
}

/** @see nf_conntrack_sctp_packet() in net/netfilter/nf_conntrack_proto_sctp.c */
function trackSctp(host: ConntrackHost, packet: Packet, connection: Connection, hook: TrackingHook): Outcome {
  if (isBroken(host, packet, hook)) return Outcome.Invalid;
  const chunks = readChunks(packet);
  if (chunks === undefined || !mayStandTogether(chunks)) return Outcome.Invalid;
  const tag = packet.u32(packet.transport + 4);
  if (!isConfirmed(connection)) connection.protocolState = beginFlow(packet, chunks, tag);
  const flow = connection.protocolState;
  if (!(flow instanceof SctpFlow)) return Outcome.Invalid;
  const { direction } = packet;
  if (flow.learnsTags && flow.tags[direction] === 0) flow.tags[direction] = tag;
  if (tag !== flow.tags[direction] && !chunks.some(chunk => ownTagRules.has(chunk.type))) return Outcome.Invalid;
  const hasData = chunks.some(chunk => chunk.type === Chunk.Data);
  const passage: Passage = { flow, packet, connection, direction, other: direction === 0 ? 1 : 0, tag, hasData, ignored: false };
  const passed = chunks.every(chunk => passChunk(passage, chunk));
  connection.protocolStateName = flow.state;
  if (!passed) return Outcome.Invalid;
  if (!passage.ignored) refresh(host, packet, connection, host.sysctl(timeoutName(flow.state)));
  return Outcome.Accept;
}

export const sctpTracker: Tracker = { packet: trackSctp, allowsClash: false };
