/** Where IPv6 keeps what IPv4 has in its header: the fragment header (RFC 8200, 4.5). */
import { ipv6Header, ipv6HeaderLength, isExtensionHeader } from '../../packet/ipv6-headers.js';
import type { Packet } from '../../packet/packet.js';
import { protocolNumber } from '../../packet/protocols.js';

export interface FragmentHeader {
  /** Offset of the header, and of the byte that names it as the next header. */
  readonly at: number;
  readonly namedAt: number;
  /** What follows it. */
  readonly next: number;
  /** In bytes. */
  readonly offset: number;
  readonly moreFragments: boolean;
  readonly identification: number;
}

const { hopByHop, routing, fragment, none, destination } = ipv6Header;

/** The first fragment header; undefined where there is none. Its bytes may be cut off. @see find_prev_fhdr() in net/ipv6/netfilter/nf_conntrack_reasm.c */
export function fragmentHeaderOf(packet: Packet): FragmentHeader | undefined {
  let next = packet.u8(6);
  let namedAt = 6;
  let at = 40;
  while (next !== fragment) {
    if (!isExtensionHeader(next) || next === none || at + 2 > packet.length) return undefined;
    const length = ipv6HeaderLength(packet, next, at);
    next = packet.u8(at);
    namedAt = at;
    at += length;
  }
  if (at > packet.length) return undefined;
  const field = packet.u16(at + 2);
  return { at, namedAt, next: packet.u8(at), offset: field & 0xfff8, moreFragments: (field & 1) !== 0, identification: packet.u32(at + 4) };
}

/** A first fragment must hold all headers (RFC 8200): without, it is not gathered. @see ipv6frag_thdr_truncated() in net/ipv6/reassembly.c */
export function lacksTransportHeader(packet: Packet): boolean {
  const { protocol, transport, fragmentOffset } = packet;
  if (fragmentOffset > 0 || isExtensionHeader(protocol)) return false;
  const needed = protocol === protocolNumber.tcp ? 20 : protocol === protocolNumber.udp || protocol === protocolNumber.icmpv6 ? 8 : 1;
  return transport + needed > packet.length;
}

/** The headers before the fragment header, the last of them naming what followed it. */
export function withoutFragmentHeader(packet: Packet, header: FragmentHeader): Uint8Array {
  const bytes = packet.bytes.slice(0, header.at);
  bytes[header.namedAt] = header.next;
  return bytes;
}

/**
 * Where a fragment header may go: behind the headers that every router reads.
 * Undefined where the chain of headers is broken.
 * @see ip6_find_1stfragopt() in net/ipv6/output_core.c
 */
export function fragmentablePart(packet: Packet): { readonly at: number; readonly namedAt: number } | undefined {
  let namedAt = 6;
  let at = 40;
  let isBehindRouting = false;
  while (at <= packet.length) {
    const next = packet.u8(namedAt);
    if (next === routing) isBehindRouting = true;
    else if (next !== hopByHop && (next !== destination || isBehindRouting)) return { at, namedAt };
    if (at + 2 > packet.length) return undefined;
    namedAt = at;
    at += (packet.u8(at + 1) + 1) * 8;
  }
  return undefined;
}
