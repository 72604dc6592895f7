/** The fields of a `Constraint`, read from a packet. Interfaces are names and IPv6 addresses have 128 bits: both are read elsewhere. */
import type { Field } from './constraint.js';
import type { LinkType, Packet } from './packet.js';
import { protocolNumber } from './protocols.js';

/** Fields that are numbers below 2^53. */
export type NumberField = Exclude<Field, 'in' | 'out' | 'src' | 'dst'>;
export type FieldReader = (packet: Packet) => number;

/** PACKET_… of linux/if_packet.h. */
const linkTypes: Readonly<Record<Exclude<LinkType, 'loopback'>, number>> = { unicast: 0, broadcast: 1, multicast: 2, otherhost: 3, outgoing: 4 };
const { broadcast, multicast } = linkTypes;

/** What the machine sent to itself counts as what its address is. @see pkttype_mt() in net/netfilter/xt_pkttype.c */
function pkttype(packet: Packet): number {
  if (packet.linkType !== 'loopback') return linkTypes[packet.linkType];
  return packet.family === 'ipv6' || packet.u8(16) >> 4 === 14 ? multicast : broadcast;
}

/** The index that an IPsec header begins with; each has it in a place of its own. */
function spi(packet: Packet): number {
  const { protocol, transport } = packet;
  if (protocol === protocolNumber.ipcomp) return packet.u16(transport + 2);
  return packet.u32(protocol === protocolNumber.ah ? transport + 4 : transport);
}

/** −1 where the packet has no Ethernet header. */
function srcMac({ sourceMac }: Packet): number {
  if (sourceMac === undefined) return -1;
  let address = 0;
  for (const byte of sourceMac) address = address * 256 + byte;
  return address;
}

export const fieldReaders: Readonly<Record<NumberField, FieldReader>> = {
  protocol: packet => packet.protocol,
  fragment: packet => packet.fragmentOffset > 0 ? 1 : 0,
  sport: packet => packet.sport,
  dport: packet => packet.dport,
  tcpFlags: packet => packet.tcpFlags,
  icmpType: packet => packet.icmpType,
  icmpCode: packet => packet.icmpCode,
  ctstate: packet => packet.stateSeen,
  ctdir: packet => packet.direction,
  mark: packet => packet.mark,
  connmark: packet => packet.connection?.mark ?? 0,
  length: packet => packet.length,
  ttl: packet => packet.ttl,
  dscp: packet => packet.tos >> 2,
  ecn: packet => packet.tos & 3,
  pkttype,
  srcMac,
  spi,
  sctpChunk: packet => packet.u8(packet.transport + 12),
};

export const address4: Readonly<Record<'src' | 'dst', FieldReader>> = {
  src: packet => packet.u32(12),
  dst: packet => packet.u32(16),
};
