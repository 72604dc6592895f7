/** SCTP as a man in the middle sees it: its states, and where each chunk leads. */
import type { Direction } from '../../packet/connection.js';

/** As `conntrack -L` prints them, in the kernel's order. */
export const sctpStateNames = [
  'NONE', 'CLOSED', 'COOKIE_WAIT', 'COOKIE_ECHOED', 'ESTABLISHED', 'SHUTDOWN_SENT', 'SHUTDOWN_RECD', 'SHUTDOWN_ACK_SENT', 'HEARTBEAT_SENT',
] as const;
export type SctpStateName = (typeof sctpStateNames)[number];

/** Types of chunks that matter to tracking (RFC 9260). */
export const Chunk = {
  Data: 0, Init: 1, InitAck: 2, Heartbeat: 4, HeartbeatAck: 5, Abort: 6, Shutdown: 7, ShutdownAck: 8, Error: 9, CookieEcho: 10, CookieAck: 11, ShutdownComplete: 14,
} as const;

/** From a state to a state where they are another; a chunk that is not named leaves the state as it is. */
type Steps = Readonly<Partial<Record<SctpStateName, SctpStateName>>>;

const everywhere = {
  CLOSED: 'CLOSED', COOKIE_WAIT: 'CLOSED', COOKIE_ECHOED: 'CLOSED', ESTABLISHED: 'CLOSED', SHUTDOWN_SENT: 'CLOSED', SHUTDOWN_RECD: 'CLOSED', SHUTDOWN_ACK_SENT: 'CLOSED',
} as const satisfies Steps;
const shutdownAcked = { SHUTDOWN_SENT: 'SHUTDOWN_ACK_SENT', SHUTDOWN_RECD: 'SHUTDOWN_ACK_SENT' } as const satisfies Steps;
/** What opens no flow well, but opens one. */
const opens = { NONE: 'CLOSED', HEARTBEAT_SENT: 'CLOSED' } as const satisfies Steps;

/** @see sctp_conntracks in net/netfilter/nf_conntrack_proto_sctp.c */
const original: Readonly<Record<number, Steps>> = {
  [Chunk.Init]: { NONE: 'CLOSED', HEARTBEAT_SENT: 'COOKIE_WAIT', SHUTDOWN_SENT: 'CLOSED', SHUTDOWN_RECD: 'CLOSED' },
  [Chunk.InitAck]: opens,
  [Chunk.Abort]: { ...opens, ...everywhere },
  [Chunk.Shutdown]: { ...opens, ESTABLISHED: 'SHUTDOWN_SENT' },
  [Chunk.ShutdownAck]: { NONE: 'SHUTDOWN_ACK_SENT', HEARTBEAT_SENT: 'SHUTDOWN_ACK_SENT', ...shutdownAcked },
  [Chunk.Error]: opens,
  [Chunk.CookieEcho]: { ...opens, COOKIE_WAIT: 'COOKIE_ECHOED' },
  [Chunk.CookieAck]: { ...opens, COOKIE_ECHOED: 'ESTABLISHED' },
  [Chunk.ShutdownComplete]: { ...opens, SHUTDOWN_ACK_SENT: 'CLOSED' },
  [Chunk.Heartbeat]: { NONE: 'HEARTBEAT_SENT' },
  [Chunk.HeartbeatAck]: { NONE: 'CLOSED' },
};

const reply: Readonly<Record<number, Steps>> = {
  [Chunk.Init]: {},
  [Chunk.InitAck]: { CLOSED: 'COOKIE_WAIT' },
  [Chunk.Abort]: everywhere,
  [Chunk.Shutdown]: { ESTABLISHED: 'SHUTDOWN_RECD' },
  [Chunk.ShutdownAck]: shutdownAcked,
  [Chunk.Error]: { COOKIE_ECHOED: 'CLOSED' },
  [Chunk.CookieEcho]: { COOKIE_WAIT: 'COOKIE_ECHOED' },
  [Chunk.CookieAck]: { COOKIE_ECHOED: 'ESTABLISHED' },
  [Chunk.ShutdownComplete]: { SHUTDOWN_ACK_SENT: 'CLOSED' },
  [Chunk.Heartbeat]: {},
  [Chunk.HeartbeatAck]: { HEARTBEAT_SENT: 'ESTABLISHED' },
};

/** Heartbeats alone go on where a heartbeat began. */
export function isHeartbeat(chunk: number): boolean {
  return chunk === Chunk.Heartbeat || chunk === Chunk.HeartbeatAck;
}

/** The state after a chunk; undefined: the packet is invalid. Data and other chunks change nothing. */
export function nextSctpState(state: SctpStateName, chunk: number, direction: Direction): SctpStateName | undefined {
  const steps = (direction === 0 ? original : reply)[chunk];
  if (steps === undefined) return state;
  if (direction === 1 && (state === 'NONE' || (state === 'HEARTBEAT_SENT' && !isHeartbeat(chunk)))) return undefined;
  return steps[state] ?? state;
}
