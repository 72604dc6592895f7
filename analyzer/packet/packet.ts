/**
 * A packet as netfilter sees it: its bytes from the IP header on, and what the kernel's sk_buff knows beside them.
 * The bytes are the truth; fields are read from them, and whoever rewrites bytes keeps checksums up by `rewrite.ts`.
 */
import type { Family } from '../values/value.js';
import type { Connection, Direction } from './connection.js';
import { ctstates } from './constraint.js';
import { layoutOf, type Layout } from './layout.js';
import type { Socket } from './traversal.js';

/** `skb->pkt_type`, as the link layer saw it. */
export type LinkType = 'unicast' | 'broadcast' | 'multicast' | 'otherhost' | 'outgoing' | 'loopback';

/** The socket a local packet comes from. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups?: readonly number[];
}

/** One of `ctstates`; -1 where no connection tracking has looked at the packet yet (it matches as INVALID). */
export type Ctstate = number;

export class Packet {
  readonly family: Family;
  #bytes: Uint8Array;
  #layout: Layout;
  /** Names of interfaces; '' where there is none (yet, or any more). */
  in = '';
  out = '';
  /** The ports of a bridge, where the packet passes one; '' elsewhere. */
  physin = '';
  physout = '';
  /** `skb->mark`, 32 bits unsigned. */
  mark = 0;
  /** `skb->priority` (CLASSIFY), 32 bits unsigned. */
  priority = 0;
  secmark = '';
  linkType: LinkType = 'unicast';
  /** The Ethernet header it came with: absent on lo, tun and for local packets. */
  sourceMac: Uint8Array | undefined;
  destinationMac: Uint8Array | undefined;
  /** Of local packets that a socket sent. */
  owner: Owner | undefined;
  /** The kernel's own socket sent it, which no user owns: an ICMP error of the host. */
  isFromKernelSocket = false;
  /** Who tracks it, and as what. */
  connection: Connection | undefined;
  ctstate: Ctstate = -1;
  direction: Direction = 0;
  /** `IP_CT_RELATED` that is an ICMP error of the connection, not a packet of it. */
  isRelatedError = false;
  /** The hosts's own answer (RST, ICMP error) or a duplicate (TEE): what must not set off another. */
  isGenerated = false;
  /** The answer to an untracked packet: `skb->_nfct` says RELATED, and names no connection. */
  isAnswerToUntracked = false;
  /** CHECKSUM_PARTIAL, or loopback: the kernel does not verify layer 4 (nf_ip_checksum). */
  isChecksumTrusted = false;
  /** Layer 4 was verified before, and what was changed since then does not count (`skb->csum_valid`). */
  isChecksumVerified = false;
  /** Where TPROXY put it; undefined: nowhere. */
  socket: Socket | undefined;
  /** Largest fragment of which it was put together (`IPCB(skb)->frag_max_size`); 0: it came whole. */
  largestFragment = 0;
  /** Bytes of each of those fragments in order, the first with all its headers and the later ones without: unchanged, it leaves in the same pieces (`frag_list`). */
  fragmentSizes: readonly number[] = [];

  constructor(family: Family, bytes: Uint8Array) {
    this.family = family;
    this.#bytes = bytes;
    this.#layout = layoutOf(family, bytes);
  }

  get bytes(): Uint8Array { return this.#bytes; }
  /** Other bytes, of whatever length; what follows from them is worked out anew. Call it too after changing header lengths in place. */
  set bytes(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#layout = layoutOf(this.family, bytes);
  }

  /** What `layout.ts` found; false where the IP header itself is broken (ip_rcv drops it). */
  get isSound(): boolean { return this.#layout.isSound; }
  /** IPv4: protocol of the header. IPv6: behind extension headers; that of the fragment header in a later fragment. */
  get protocol(): number { return this.#layout.protocol; }
  /** Offset of the transport header; bytes.length or beyond where there is none. */
  get transport(): number { return this.#layout.transport; }
  /** In bytes; 0: a first fragment or a whole packet. */
  get fragmentOffset(): number { return this.#layout.fragmentOffset; }
  get moreFragments(): boolean { return this.#layout.moreFragments; }
  /** IPv6: there is a fragment header, be it that of a whole packet. */
  get hasFragmentHeader(): boolean { return this.#layout.hasFragmentHeader; }
  /** IPv6: an authentication header lies before the transport header: nf_tables takes it for the transport protocol. */
  get isAuthenticated(): boolean { return this.#layout.isAuthenticated; }
  /** IPv6: the headers end before they name a transport protocol. */
  get isCutShort(): boolean { return this.#layout.isCutShort; }
  get isFragment(): boolean { return this.#layout.fragmentOffset > 0 || this.#layout.moreFragments; }
  /** How many bytes lie behind the start of the transport header. */
  get transportLength(): number { return this.#bytes.length - this.#layout.transport; }

  get src(): number | bigint { return this.family === 'ipv4' ? this.u32(12) : this.u128(8); }
  get dst(): number | bigint { return this.family === 'ipv4' ? this.u32(16) : this.u128(24); }
  get ttl(): number { return this.#bytes[this.family === 'ipv4' ? 8 : 7] ?? 0; }
  /** TOS byte, or traffic class. */
  get tos(): number { return this.family === 'ipv4' ? this.#bytes[1] ?? 0 : (this.u16(0) >> 4) & 0xff; }
  /** What `-m length` reads: total length (IPv4), payload length + 40 (IPv6). */
  get length(): number { return this.family === 'ipv4' ? this.u16(2) : this.u16(4) + 40; }
  get dontFragment(): boolean { return this.family === 'ipv4' && ((this.#bytes[6] ?? 0) & 0x40) !== 0; }

  /** Of TCP, UDP, UDP-Lite, SCTP, DCCP; read without asking whether the bytes are there (0 where not). */
  get sport(): number { return this.u16(this.#layout.transport); }
  get dport(): number { return this.u16(this.#layout.transport + 2); }
  /** FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128. */
  get tcpFlags(): number { return this.#bytes[this.#layout.transport + 13] ?? 0; }
  get icmpType(): number { return this.#bytes[this.#layout.transport] ?? 0; }
  get icmpCode(): number { return this.#bytes[this.#layout.transport + 1] ?? 0; }

  /** What `--ctstate` sees: a packet without a connection is INVALID. */
  get stateSeen(): number { return this.ctstate < 0 ? ctstates.INVALID : this.ctstate; }

  /** Big endian; bytes that are not there count as 0. */
  u8(at: number): number { return this.#bytes[at] ?? 0; }
  u16(at: number): number { return ((this.#bytes[at] ?? 0) << 8) | (this.#bytes[at + 1] ?? 0); }
  u32(at: number): number { return ((this.u16(at) << 16) | this.u16(at + 2)) >>> 0; }
  u128(at: number): bigint {
    return (BigInt(this.u32(at)) << 96n) | (BigInt(this.u32(at + 4)) << 64n) | (BigInt(this.u32(at + 8)) << 32n) | BigInt(this.u32(at + 12));
  }

  /** A packet with bytes of its own and nothing else in common: no connection, no interfaces, no mark. */
  copyBytes(): Packet {
    return new Packet(this.family, this.#bytes.slice());
  }
}
