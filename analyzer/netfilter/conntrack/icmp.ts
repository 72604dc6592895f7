/** ICMP and ICMPv6: queries and their answers. Errors: icmp-error.ts. */
import type { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { isIcmpQuery } from './icmp-types.js';
import { Outcome, refresh, type Tracker } from './tracker.js';

/** @see nf_conntrack_icmp_packet() in net/netfilter/nf_conntrack_proto_icmp.c, nf_conntrack_icmpv6_packet() in nf_conntrack_proto_icmpv6.c */
function icmpTracker(protocol: typeof proto.icmp | typeof proto.icmpv6, family: Packet['family'], timeout: string): Tracker {
  return {
    packet(host, packet, connection) {
      if (packet.family !== family || !isIcmpQuery(protocol, connection.original.dport >>> 8)) return Outcome.Invalid;
      // An entry outlives its first answer: answers come twice at times.
      refresh(host, packet, connection, host.sysctl(timeout));
      return Outcome.Accept;
    },
    allowsClash: false,
  };
}

export const icmp4Tracker = icmpTracker(proto.icmp, 'ipv4', 'net.netfilter.nf_conntrack_icmp_timeout');
export const icmp6Tracker = icmpTracker(proto.icmpv6, 'ipv6', 'net.netfilter.nf_conntrack_icmpv6_timeout');
