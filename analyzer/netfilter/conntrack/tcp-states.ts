/** TCP as a man in the middle sees it: its states, and where each segment leads. */
import type { Direction } from '../../packet/connection.js';

/** As `conntrack -L` prints them, in the kernel's order. SYN_SENT2: a SYN came from the other side too. */
export const tcpStateNames = [
  'NONE', 'SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'FIN_WAIT', 'CLOSE_WAIT', 'LAST_ACK', 'TIME_WAIT', 'CLOSE', 'SYN_SENT2',
] as const;
export type TcpStateName = (typeof tcpStateNames)[number];

export const TcpState = {
  None: 0, SynSent: 1, SynRecv: 2, Established: 3, FinWait: 4, CloseWait: 5, LastAck: 6, TimeWait: 7, Close: 8, SynSent2: 9,
  /** The packet is invalid (sIV). */
  Invalid: 10,
  /** We may be out of step: let it pass and change nothing (sIG). */
  Ignore: 11,
} as const;
export type TcpState = number;

/** Which of RST, SYN, FIN and ACK decides. */
export const Segment = { Syn: 0, SynAck: 1, Fin: 2, Ack: 3, Rst: 4, None: 5 } as const;
export type Segment = (typeof Segment)[keyof typeof Segment];

export const fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32, ece = 64, cwr = 128;

/** @see get_conntrack_index() in net/netfilter/nf_conntrack_proto_tcp.c */
export function segmentOf(flags: number): Segment {
  if ((flags & rst) !== 0) return Segment.Rst;
  if ((flags & syn) !== 0) return (flags & ack) !== 0 ? Segment.SynAck : Segment.Syn;
  if ((flags & fin) !== 0) return Segment.Fin;
  return (flags & ack) !== 0 ? Segment.Ack : Segment.None;
}

const validFlags: ReadonlySet<number> = new Set([syn, syn | urg, syn | ack, rst, rst | ack, fin | ack, fin | ack | urg, ack, ack | urg]);

/** PSH, ECE and CWR are ignored. @see tcp_valid_flags in net/netfilter/nf_conntrack_proto_tcp.c */
export function areFlagsValid(flags: number): boolean {
  return validFlags.has(flags & ~(psh | ece | cwr));
}

/** Where a segment leads, by direction. `-`: invalid; `?`: ignored. */
type Steps = readonly [original: TcpStateName | '-' | '?', reply: TcpStateName | '-' | '?'];
type Row = Readonly<Record<'syn' | 'synAck' | 'fin' | 'ack', Steps>>;

function both(state: TcpStateName | '-'): Steps {
  return [state, state];
}

/** Once both have spoken: a SYN of the client and a SYN/ACK of the server may tell us that we are out of step. */
const outOfStep = { syn: ['?', '-'], synAck: ['-', '?'] } as const;

/** @see tcp_conntracks in net/netfilter/nf_conntrack_proto_tcp.c */
const transitions: Readonly<Record<TcpStateName, Row>> = {
  NONE: { syn: ['SYN_SENT', '-'], synAck: both('-'), fin: both('-'), ack: ['ESTABLISHED', '-'] },
  // The server's bare ACK may answer a half-open connection that it still has.
  SYN_SENT: { syn: ['SYN_SENT', 'SYN_SENT2'], synAck: ['-', 'SYN_RECV'], fin: both('-'), ack: ['-', '?'] },
  SYN_SENT2: { syn: both('SYN_SENT2'), synAck: both('SYN_RECV'), fin: both('-'), ack: ['-', '?'] },
  SYN_RECV: { syn: ['?', '-'], synAck: ['SYN_RECV', '?'], fin: both('FIN_WAIT'), ack: ['ESTABLISHED', 'SYN_RECV'] },
  ESTABLISHED: { ...outOfStep, fin: both('FIN_WAIT'), ack: both('ESTABLISHED') },
  FIN_WAIT: { ...outOfStep, fin: both('LAST_ACK'), ack: both('CLOSE_WAIT') },
  CLOSE_WAIT: { ...outOfStep, fin: both('LAST_ACK'), ack: both('CLOSE_WAIT') },
  LAST_ACK: { ...outOfStep, fin: both('LAST_ACK'), ack: both('TIME_WAIT') },
  TIME_WAIT: { syn: both('SYN_SENT'), synAck: ['-', '?'], fin: both('TIME_WAIT'), ack: both('TIME_WAIT') },
  CLOSE: { syn: ['SYN_SENT', '-'], synAck: ['-', '?'], fin: both('CLOSE'), ack: both('CLOSE') },
};

function code(step: TcpStateName | '-' | '?'): TcpState {
  return step === '-' ? TcpState.Invalid : step === '?' ? TcpState.Ignore : tcpStateNames.indexOf(step);
}

function stepsOf(name: TcpStateName): readonly Steps[] {
  const { syn, synAck, fin, ack } = transitions[name];
  return [syn, synAck, fin, ack, both(name === 'NONE' ? '-' : 'CLOSE'), both('-')];
}

const segments = 6;
const table = new Uint8Array(2 * tcpStateNames.length * segments);
tcpStateNames.forEach((name, state) => {
  stepsOf(name).forEach((steps, segment) => {
    steps.forEach((step, direction) => { table[(direction * tcpStateNames.length + state) * segments + segment] = code(step); });
  });
});

/** The state after a segment: one of `TcpState`. */
export function nextTcpState(state: TcpState, segment: Segment, direction: Direction): TcpState {
  return table[(direction * tcpStateNames.length + state) * segments + segment] ?? TcpState.Invalid;
}

const timeoutNames: readonly (string | undefined)[] = [
  undefined, 'syn_sent', 'syn_recv', 'established', 'fin_wait', 'close_wait', 'last_ack', 'time_wait', 'close', undefined,
].map(name => name === undefined ? undefined : `net.netfilter.nf_conntrack_tcp_timeout_${name}`);

/** The sysctl that says how long a state lasts; undefined: it is always two minutes (SYN_SENT2). */
export function tcpTimeoutName(state: TcpState): string | undefined {
  return timeoutNames[state];
}
