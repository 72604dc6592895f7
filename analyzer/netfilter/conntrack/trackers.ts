/** Which protocol is tracked how. */
import { protocolNumber as proto } from '../../packet/protocols.js';
import { genericTracker, greTracker } from './generic.js';
import { icmp4Tracker, icmp6Tracker } from './icmp.js';
import { sctpTracker } from './sctp.js';
import { tcpTracker } from './tcp.js';
import type { Tracker } from './tracker.js';
import { udpLiteTracker, udpTracker } from './udp.js';

/** DCCP is not among them: the kernel has dropped its tracker. @see nf_conntrack_handle_packet() in net/netfilter/nf_conntrack_core.c */
export function trackerOf(protocol: number): Tracker {
  switch (protocol) {
    case proto.tcp: return tcpTracker;
    case proto.udp: return udpTracker;
    case proto.icmp: return icmp4Tracker;
    case proto.icmpv6: return icmp6Tracker;
    case proto.udplite: return udpLiteTracker;
    case proto.sctp: return sctpTracker;
    case proto.gre: return greTracker;
    default: return genericTracker;
  }
}
