/** Protocols of which only the addresses are known, and GRE, which is little more. */
import { ctstatus, type Connection } from '../../packet/connection.js';
import type { Packet } from '../../packet/packet.js';
import { Outcome, refresh, type ConntrackHost, type Tracker } from './tracker.js';

/** Whatever has no tracker of its own: IGMP, ESP, AH, OSPF, DCCP … @see generic_packet() in net/netfilter/nf_conntrack_core.c */
export const genericTracker: Tracker = {
  packet(host, packet, connection) {
    refresh(host, packet, connection, host.sysctl('net.netfilter.nf_conntrack_generic_timeout'));
    return Outcome.Accept;
  },
  allowsClash: false,
};

/** @see nf_conntrack_gre_packet() in net/netfilter/nf_conntrack_proto_gre.c */
function trackGre(host: ConntrackHost, packet: Packet, connection: Connection): Outcome {
  const replied = (connection.status & ctstatus.SEEN_REPLY) !== 0;
  refresh(host, packet, connection, host.sysctl(replied ? 'net.netfilter.nf_conntrack_gre_timeout_stream' : 'net.netfilter.nf_conntrack_gre_timeout'));
  if (replied && (connection.status & ctstatus.NAT_CLASH) === 0) connection.status |= ctstatus.ASSURED;
  return Outcome.Accept;
}

export const greTracker: Tracker = { packet: trackGre, allowsClash: true };
