/** Addresses and ports written into headers: of a packet, or of the piece of one that an ICMP error quotes. */
import { sumOf } from '../../packet/checksum.js';
import type { Tuple } from '../../packet/connection.js';
import { skipExtensionHeaders } from '../../packet/ipv6-headers.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { putAddress } from '../../packet/put.js';
import type { Family } from '../../values/value.js';
import { followChecksum } from './follow-checksum.js';
import { manipulateTransport, type TransportChange } from './manipulate-transport.js';
import type { NatSide } from './nat-host.js';
import { otherSide } from './sides.js';

export interface Manipulation extends TransportChange {
  readonly address: number | bigint;
}

/** What makes one side of a header look like the tuple's. An ICMP id stands in one place, whichever side is meant. */
export function likeTuple({ src, dst, protocol, sport, dport }: Tuple, side: NatSide): Manipulation {
  if (side === 'source') return { side, protocol, address: src, port: sport };
  return { side, protocol, address: dst, port: protocol === proto.icmp || protocol === proto.icmpv6 ? sport : dport };
}

/** What makes one side of a header look like that of an answer to the tuple. */
export function likeAnswer(tuple: Tuple, side: NatSide): Manipulation {
  return { ...likeTuple(tuple, otherSide(side)), side };
}

/** What the sum of the address's 16-bit words is to grow by: ones' complement, not negative. */
function growth(bytes: Uint8Array, at: number, length: number, address: number | bigint): number {
  return (~sumOf(bytes, at, at + length) & 0xffff) + sumOfAddress(address);
}

function sumOfAddress(address: number | bigint): number {
  if (typeof address === 'number') return (address >>> 16) + (address & 0xffff);
  let sum = 0;
  for (let rest = address; rest > 0n; rest >>= 32n) {
    const word = Number(rest & 0xffff_ffffn);
    sum += (word >>> 16) + (word & 0xffff);
  }
  return sum;
}

/** @see nf_nat_ipv4_manip_pkt() in net/netfilter/nf_nat_proto.c */
function manipulate4(bytes: Uint8Array, at: number, change: Manipulation): boolean {
  if (at + 20 > bytes.length) return false;
  const addressAt = at + (change.side === 'source' ? 12 : 16);
  const grows = growth(bytes, addressAt, 4, change.address);
  const transport = at + ((bytes[at] ?? 0) & 15) * 4;
  if (!manipulateTransport(bytes, transport, change, grows)) return false;
  followChecksum(bytes, at + 10, grows);
  putAddress(bytes, addressAt, Number(change.address));
  return true;
}

/** @see nf_nat_ipv6_manip_pkt() in net/netfilter/nf_nat_proto.c */
function manipulate6(bytes: Uint8Array, at: number, change: Manipulation): boolean {
  if (at + 40 > bytes.length) return false;
  const addressAt = at + (change.side === 'source' ? 8 : 24);
  const grows = growth(bytes, addressAt, 16, change.address);
  const behind = skipExtensionHeaders(bytes, at);
  if (behind !== undefined && !manipulateTransport(bytes, behind.transport, change, grows)) return false;
  putAddress(bytes, addressAt, BigInt(change.address));
  return true;
}

/**
 * Rewrites one side of the IP packet whose header stands at byte `at`; checksums follow, and wrong ones stay wrong.
 * False, and nothing is changed: a header is cut off, and the packet is dropped.
 */
export function manipulate(bytes: Uint8Array, family: Family, at: number, change: Manipulation): boolean {
  return family === 'ipv4' ? manipulate4(bytes, at, change) : manipulate6(bytes, at, change);
}
