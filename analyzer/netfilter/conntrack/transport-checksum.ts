/** Whether a packet's layer 4 checksum holds. */
import { fold, sumOf } from '../../packet/checksum.js';
import type { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { pseudoHeaderSum } from '../../packet/rewrite.js';
import type { ConntrackHost, TrackingHook } from './tracker.js';

/** Is the checksum looked at? Of what a local process sends it is taken on trust. */
export function verifiesChecksum(host: ConntrackHost, packet: Packet, hook: TrackingHook): boolean {
  return hook === 'PREROUTING' && !packet.isChecksumTrusted && host.sysctl('net.netfilter.nf_conntrack_checksum') !== 0;
}

/**
 * Does the checksum over the first `coverage` bytes of layer 4 hold, with a pseudo header for `protocol` (0: without)?
 * The length in the pseudo header is that of all of layer 4, whatever UDP's own length says. Where all of it holds, the packet remembers that.
 * @see nf_ip_checksum(), nf_ip6_checksum(), nf_ip_checksum_partial() in net/netfilter/utils.c
 */
export function isChecksumRight(packet: Packet, protocol: number, coverage = packet.transportLength): boolean {
  const { transport, transportLength } = packet;
  const pseudo = protocol === 0 ? 0 : pseudoHeaderSum(packet, protocol, transportLength);
  const isRight = fold(sumOf(packet.bytes, transport, transport + coverage, pseudo)) === 0xffff;
  if (isRight && coverage === transportLength) packet.isChecksumVerified = true;
  return isRight;
}

/** The ICMP checksum has no pseudo header in IPv4. */
export function isIcmpChecksumRight(packet: Packet): boolean {
  return isChecksumRight(packet, packet.family === 'ipv4' ? 0 : proto.icmpv6);
}
