/** ICMP and ICMPv6 messages that are no queries: errors about a flow we know, and what is never tracked. */
import type { Tuple } from '../../packet/connection.js';
import type { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { isIcmpError, isUntrackedIcmp6 } from './icmp-types.js';
import type { ConntrackHost, TrackingHook } from './tracker.js';
import { isIcmpChecksumRight, verifiesChecksum } from './transport-checksum.js';

/** What a message is to tracking; a number: the place of the packet that it quotes, of whose flow it is. */
export type IcmpKind = 'query' | 'untracked' | 'invalid' | number;

const highestType4 = 18;
const redirect = 137, redirectedHeader = 4;

/** Neighbour discovery's Redirect quotes a packet in an option. @see nf_conntrack_icmpv6_redirect() in net/netfilter/nf_conntrack_proto_icmpv6.c */
function redirectKind(packet: Packet): IcmpKind {
  const { transport } = packet;
  const option = transport + 40;
  if (packet.bytes.length < option) return 'invalid';
  // Not one of ours after all; it falls through, and no query it is.
  if (packet.icmpCode !== 0) return 'query';
  const isLinkLocal = (packet.u16(8) & 0xffc0) === 0xfe80;
  if (packet.ttl !== 255 || !isLinkLocal || packet.bytes.length < option + 2 || packet.u8(option + 1) === 0) return 'invalid';
  return packet.u8(option) === redirectedHeader ? option + 8 : 'query';
}

/** @see nf_conntrack_icmpv4_error() in net/netfilter/nf_conntrack_proto_icmp.c, nf_conntrack_icmpv6_error() in nf_conntrack_proto_icmpv6.c */
export function icmpKind(host: ConntrackHost, packet: Packet, hook: TrackingHook): IcmpKind {
  const isV4 = packet.family === 'ipv4';
  if (packet.protocol !== (isV4 ? proto.icmp : proto.icmpv6)) return 'query';
  if (packet.transportLength < 8) return 'invalid';
  if (verifiesChecksum(host, packet, hook) && !isIcmpChecksumRight(packet)) return 'invalid';
  const type = packet.icmpType;
  if (isV4 && type > highestType4) return 'invalid';
  if (!isV4 && isUntrackedIcmp6(type)) return 'untracked';
  if (!isV4 && type === redirect) return redirectKind(packet);
  return isIcmpError(isV4 ? proto.icmp : proto.icmpv6, type) ? packet.transport + 8 : 'query';
}

/**
 * Is the error sent to whom it concerns? `tuple` is the flow's own, of the direction in which the error goes: its destination
 * sent the packet that is quoted. @see nf_conntrack_inet_error() in net/netfilter/nf_conntrack_proto_icmp.c
 */
export function isErrorForSender(packet: Packet, tuple: Tuple): boolean {
  return packet.dst === tuple.dst;
}
