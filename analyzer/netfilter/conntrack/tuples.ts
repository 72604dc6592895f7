/** Tuples: how they are read from packets, and turned around. */
import { swapped, type Tuple } from '../../packet/connection.js';
import { isExtensionHeader, skipExtensionHeaders } from '../../packet/ipv6-headers.js';
import type { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { icmpInverse } from './icmp-types.js';

/** Where the transport header is, and whose it is. */
interface Inner {
  readonly protocol: number;
  readonly transport: number;
}

/** @see ipv4_get_l4proto() in net/netfilter/nf_conntrack_core.c: later fragments have none. */
function innerOf4(packet: Packet, at: number): Inner | undefined {
  if (at + 20 > packet.bytes.length || (packet.u16(at + 6) & 0x1fff) !== 0) return undefined;
  const transport = at + (packet.u8(at) & 15) * 4;
  return transport > packet.bytes.length ? undefined : { protocol: packet.u8(at + 9), transport };
}

/** Asks the PPTP helper for the key of the other direction; 0 where it knows none (gre_keymap_lookup). */
export type GreKeys = (tuple: Tuple) => number;

/** @see gre_pkt_to_tuple() in net/netfilter/nf_conntrack_proto_gre.c: only PPTP's version 1 has a key, the call id. */
function greTuple(packet: Packet, at: number, src: number | bigint, dst: number | bigint, keys: GreKeys | undefined): Tuple | undefined {
  const isVersion1 = at + 4 <= packet.bytes.length && (packet.u16(at) & 7) === 1;
  const plain: Tuple = { src, dst, protocol: proto.gre, sport: 0, dport: 0 };
  if (!isVersion1 || at + 8 > packet.bytes.length) return plain;
  if (packet.u16(at + 2) !== 0x880b) return undefined;
  const keyed = { ...plain, dport: packet.u16(at + 6) };
  return { ...keyed, sport: keys?.(keyed) ?? 0 };
}

/** @see nf_ct_get_tuple() in net/netfilter/nf_conntrack_core.c: four bytes suffice for ports, eight for ICMP. */
function tupleAtTransport(packet: Packet, ip: number, protocol: number, at: number, keys: GreKeys | undefined): Tuple | undefined {
  const isV4 = packet.family === 'ipv4';
  const src = isV4 ? packet.u32(ip + 12) : packet.u128(ip + 8);
  const dst = isV4 ? packet.u32(ip + 16) : packet.u128(ip + 24);
  switch (protocol) {
    case proto.tcp: case proto.udp: case proto.udplite: case proto.sctp:
      return at + 4 > packet.bytes.length ? undefined : { src, dst, protocol, sport: packet.u16(at), dport: packet.u16(at + 2) };
    case proto.icmp: case proto.icmpv6:
      return at + 8 > packet.bytes.length ? undefined : { src, dst, protocol, sport: packet.u16(at + 4), dport: packet.u16(at) };
    case proto.gre: return greTuple(packet, at, src, dst, keys);
    default: return { src, dst, protocol, sport: 0, dport: 0 };
  }
}

/** The packet's own tuple; undefined where it has none (a later fragment, a header cut off). */
export function tupleOf(packet: Packet, keys?: GreKeys): Tuple | undefined {
  if (!packet.isSound || packet.fragmentOffset > 0) return undefined;
  const { protocol } = packet;
  if (packet.family === 'ipv6' && isExtensionHeader(protocol)) return undefined;
  return tupleAtTransport(packet, 0, protocol, packet.transport, keys);
}

/** The tuple of the packet that this one quotes from byte `at` on. @see nf_ct_get_tuplepr() in net/netfilter/nf_conntrack_core.c */
export function tupleAt(packet: Packet, at: number, keys?: GreKeys): Tuple | undefined {
  const inner = packet.family === 'ipv4' ? innerOf4(packet, at) : skipExtensionHeaders(packet.bytes, at);
  return inner === undefined ? undefined : tupleAtTransport(packet, at, inner.protocol, inner.transport, keys);
}

/** The tuple of an answer. Undefined: nothing answers an ICMP message of this type. @see nf_ct_invert_tuple() in net/netfilter/nf_conntrack_core.c */
export function invert(tuple: Tuple): Tuple | undefined {
  if (tuple.protocol !== proto.icmp && tuple.protocol !== proto.icmpv6) return swapped(tuple);
  const type = icmpInverse(tuple.protocol, tuple.dport >>> 8);
  if (type === undefined) return undefined;
  return { src: tuple.dst, dst: tuple.src, protocol: tuple.protocol, sport: tuple.sport, dport: (type << 8) | (tuple.dport & 0xff) };
}

export function isSameTuple(a: Tuple, b: Tuple): boolean {
  return a.src === b.src && a.dst === b.dst && a.sport === b.sport && a.dport === b.dport && a.protocol === b.protocol;
}
