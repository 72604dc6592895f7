/** What connection tracking knows of a flow: `struct nf_conn`. */

/** 0: the way the first packet went (ORIGINAL); 1: REPLY. */
export type Direction = 0 | 1;

/**
 * One direction of a flow (`struct nf_conntrack_tuple`). Addresses are numbers in IPv4, bigints in IPv6.
 * Ports: of TCP, UDP, UDP-Lite, SCTP, DCCP; of ICMP and ICMPv6 `sport` is the id and `dport` is type << 8 | code;
 * of GRE both are keys (of version 1; else 0); elsewhere both are 0.
 */
export interface Tuple {
  readonly src: number | bigint;
  readonly dst: number | bigint;
  readonly protocol: number;
  readonly sport: number;
  readonly dport: number;
}

/** Bits of `Connection.status` (enum ip_conntrack_status). */
export const ctstatus = {
  EXPECTED: 1 << 0,
  SEEN_REPLY: 1 << 1,
  ASSURED: 1 << 2,
  CONFIRMED: 1 << 3,
  SRC_NAT: 1 << 4,
  DST_NAT: 1 << 5,
  SEQ_ADJUST: 1 << 6,
  SRC_NAT_DONE: 1 << 7,
  DST_NAT_DONE: 1 << 8,
  DYING: 1 << 9,
  FIXED_TIMEOUT: 1 << 10,
  NAT_CLASH: 1 << 12,
  HELPER: 1 << 13,
} as const;

export class Connection {
  original: Tuple;
  reply: Tuple;
  /** Conntrack zones of the two directions; 0 is the usual one. */
  zones: readonly [original: number, reply: number] = [0, 0];
  status = 0;
  mark = 0;
  secmark = '';
  /** 128 bits. */
  labels = 0n;
  /** On the host's clock, in seconds. Before it is confirmed: how long it is to live. */
  expires = 0;
  /** By direction, where accounting is on. */
  readonly packets: [bigint, bigint] = [0n, 0n];
  readonly bytes: [bigint, bigint] = [0n, 0n];
  /** Accounting was on when it began. */
  accounted?: boolean;
  /** Name of the helper assigned to it (`ftp`), or ''. */
  helper = '';
  /** The interface whose address MASQUERADE gave it, or '' (`nat->masq_index`); it ends when it would leave by another one. */
  masqueradeInterface = '';
  /** The connection whose expectation it answered. */
  master: Connection | undefined;
  /** What the protocol's tracker keeps (of TCP: state and windows); its own business. */
  protocolState: unknown = undefined;
  /** Of TCP, SCTP and DCCP: the state as `conntrack -L` prints it (`SYN_SENT`); '' elsewhere. */
  protocolStateName = '';
  /** By direction: what helpers added to or took from sequence numbers. */
  sequenceAdjust: [SequenceAdjust | undefined, SequenceAdjust | undefined] = [undefined, undefined];

  constructor(original: Tuple, reply: Tuple) {
    this.original = original;
    this.reply = reply;
  }

  tuple(direction: Direction): Tuple {
    return direction === 0 ? this.original : this.reply;
  }

  has(bits: number): boolean {
    return (this.status & bits) === bits;
  }
}

/** `struct nf_ct_seqadj`. */
export interface SequenceAdjust {
  correctionPosition: number;
  offsetBefore: number;
  offsetAfter: number;
}

/** The tuple of an answer to packets of this one (nf_ct_invert_tuple); ICMP types are exchanged by whoever knows the protocol. */
export function swapped({ src, dst, protocol, sport, dport }: Tuple): Tuple {
  return { src: dst, dst: src, protocol, sport: dport, dport: sport };
}
