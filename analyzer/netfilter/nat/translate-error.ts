/** ICMP errors about translated connections: whoever gets one must find in it the packet that he sent. */
import { sumOf } from '../../packet/checksum.js';
import { ctstatus, type Connection } from '../../packet/connection.js';
import type { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { pseudoHeaderSum, setTransportChecksum } from '../../packet/rewrite.js';
import { likeAnswer, likeTuple, manipulate } from './manipulate.js';
import type { NatSide } from './nat-host.js';
import { otherSide, translates } from './sides.js';

const headerLength = 8, icmpRedirect = 5, icmp6Redirect = 137;
const anyNat = ctstatus.SRC_NAT | ctstatus.DST_NAT, allDone = ctstatus.SRC_NAT_DONE | ctstatus.DST_NAT_DONE;

function isChecksumRight(packet: Packet): boolean {
  const pseudo = packet.family === 'ipv4' ? 0 : pseudoHeaderSum(packet, proto.icmpv6, packet.transportLength);
  return sumOf(packet.bytes, packet.transport, packet.bytes.length, pseudo) === 0xffff;
}

/** A redirect tells of routes, which are not the same for who stands behind a translation. */
function isUnfitRedirect(packet: Packet, connection: Connection): boolean {
  if (packet.icmpType !== (packet.family === 'ipv4' ? icmpRedirect : icmp6Redirect)) return false;
  return !connection.has(allDone) || (connection.status & anyNat) !== 0;
}

/**
 * Translates an ICMP error that belongs to the connection: the packet that it quotes on the side opposite to `side`, and itself on `side`,
 * whoever sent it. False: it is dropped. Its checksum is worked out anew, those inside follow.
 * @see nf_nat_icmp_reply_translation(), nf_nat_icmpv6_reply_translation() in net/netfilter/nf_nat_proto.c
 */
export function translateError(packet: Packet, connection: Connection, side: NatSide): boolean {
  const { bytes, family, transport } = packet;
  const quote = transport + headerLength;
  if (quote + (family === 'ipv4' ? 20 : 40) > bytes.length) return false;
  if (!packet.isChecksumTrusted && !packet.isChecksumVerified && !isChecksumRight(packet)) return false;
  if (isUnfitRedirect(packet, connection)) return false;
  if (!translates(connection, side, packet.direction)) return true;
  const there = connection.tuple(packet.direction === 0 ? 1 : 0);
  if (!manipulate(bytes, family, quote, likeTuple(there, otherSide(side)))) return false;
  setTransportChecksum(packet);
  return manipulate(bytes, family, 0, { ...likeAnswer(there, side), protocol: packet.protocol });
}
