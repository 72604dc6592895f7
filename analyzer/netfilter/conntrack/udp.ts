/** UDP and UDP-Lite. */
import { ctstatus, type Connection } from '../../packet/connection.js';
import type { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { isConfirmed, Outcome, refresh, type ConntrackHost, type Tracker, type TrackingHook } from './tracker.js';
import { isChecksumRight, verifiesChecksum } from './transport-checksum.js';

const timeout = 'net.netfilter.nf_conntrack_udp_timeout', streamTimeout = 'net.netfilter.nf_conntrack_udp_timeout_stream';
/** What still goes both ways after so many seconds is a stream, and no question with its answer. */
const streamAge = 2;

/** @see udp_error() in net/netfilter/nf_conntrack_proto_udp.c */
function isBrokenUdp(host: ConntrackHost, packet: Packet, hook: TrackingHook): boolean {
  const { transport, transportLength } = packet;
  const length = packet.u16(transport + 4);
  if (transportLength < 8 || length > transportLength || length < 8) return true;
  if (packet.u16(transport + 6) === 0) return false;
  return verifiesChecksum(host, packet, hook) && !isChecksumRight(packet, proto.udp);
}

/** @see nf_conntrack_udp_packet() in net/netfilter/nf_conntrack_proto_udp.c */
function trackUdp(host: ConntrackHost, packet: Packet, connection: Connection, hook: TrackingHook): Outcome {
  if (isBrokenUdp(host, packet, hook)) return Outcome.Invalid;
  if (!isConfirmed(connection)) connection.protocolState = host.now + streamAge;
  const isStream = (connection.status & ctstatus.SEEN_REPLY) !== 0 && host.now > Number(connection.protocolState ?? -1);
  refresh(host, packet, connection, host.sysctl(isStream ? streamTimeout : timeout));
  if (isStream && (connection.status & ctstatus.NAT_CLASH) === 0) connection.status |= ctstatus.ASSURED;
  return Outcome.Accept;
}

export const udpTracker: Tracker = { packet: trackUdp, allowsClash: true };

/** The kernel's pseudo header has UDP's number in it, not UDP-Lite's. @see udplite_error() in net/netfilter/nf_conntrack_proto_udp.c */
function isBrokenUdpLite(host: ConntrackHost, packet: Packet, hook: TrackingHook): boolean {
  const { transport, transportLength } = packet;
  if (transportLength < 8) return true;
  const said = packet.u16(transport + 4);
  const coverage = said === 0 ? transportLength : said;
  if (coverage < 8 || coverage > transportLength || packet.u16(transport + 6) === 0) return true;
  return verifiesChecksum(host, packet, hook) && !isChecksumRight(packet, proto.udp, coverage);
}

/** @see nf_conntrack_udplite_packet() in net/netfilter/nf_conntrack_proto_udp.c */
function trackUdpLite(host: ConntrackHost, packet: Packet, connection: Connection, hook: TrackingHook): Outcome {
  if (isBrokenUdpLite(host, packet, hook)) return Outcome.Invalid;
  const replied = (connection.status & ctstatus.SEEN_REPLY) !== 0;
  refresh(host, packet, connection, host.sysctl(replied ? streamTimeout : timeout));
  if (replied && (connection.status & ctstatus.NAT_CLASH) === 0) connection.status |= ctstatus.ASSURED;
  return Outcome.Accept;
}

export const udpLiteTracker: Tracker = { packet: trackUdpLite, allowsClash: true };
