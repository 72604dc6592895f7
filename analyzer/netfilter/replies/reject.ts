/** What REJECT sends: a TCP reset or an ICMP error, if anything. */
import { fold, sumOf } from '../../packet/checksum.js';
import { ipv6Header } from '../../packet/ipv6-headers.js';
import { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { put32 } from '../../packet/put.js';
import { pseudoHeaderSum, setHeaderChecksum, setTransportChecksum } from '../../packet/rewrite.js';
import type { RejectKind } from '../../packet/traversal.js';
import { attached, icmpError, type AnswerHost } from './icmp-error.js';

export { icmpError, type AnswerHost } from './icmp-error.js';

/** Code of the destination unreachable message, by the words of `--reject-with`. */
const unreachableCodes: Readonly<Record<string, number>> = {
  'icmp-net-unreachable': 0,
  'icmp-host-unreachable': 1,
  'icmp-proto-unreachable': 2,
  'icmp-port-unreachable': 3,
  'icmp-net-prohibited': 9,
  'icmp-host-prohibited': 10,
  'icmp-admin-prohibited': 13,
  'icmp6-no-route': 0,
  'icmp6-adm-prohibited': 1,
  'icmp6-addr-unreachable': 3,
  'icmp6-port-unreachable': 4,
  'icmp6-policy-fail': 5,
  'icmp6-reject-route': 6,
};

const Flag = { Fin: 1, Syn: 2, Reset: 4, Ack: 16 } as const;
const unreachable4 = 3, unreachable6 = 1;

/**
 * The answer to a rejected packet, ready for OUTPUT, or undefined where none is sent. It is tracked as RELATED
 * to the packet's connection; after a reset that connection is to be closed (nf_conntrack_tcp_set_closing()).
 * @see reject_tg() in net/ipv4/netfilter/ipt_REJECT.c, reject_tg6() in net/ipv6/netfilter/ip6t_REJECT.c
 */
export function rejectPacket(packet: Packet, kind: RejectKind, host: AnswerHost): Packet | undefined {
  if (!packet.isSound || packet.fragmentOffset > 0) return undefined;
  if (kind === 'tcp-reset') return tcpReset(packet, host);
  const code = unreachableCodes[kind];
  if (code === undefined || !isWholesome(packet)) return undefined;
  return icmpError(packet, packet.family === 'ipv4' ? unreachable4 : unreachable6, code, 0, host);
}

/**
 * Is the packet intact enough to be answered? Other protocols than those that have a sum of another kind, or none, are held to
 * the Internet checksum, even where they do not use it.
 * @see nf_send_unreach() in net/ipv4/netfilter/nf_reject_ipv4.c, reject6_csum_ok() in net/ipv6/netfilter/nf_reject_ipv6.c
 */
function isWholesome(packet: Packet): boolean {
  if (packet.isChecksumTrusted || packet.isChecksumVerified) return true;
  if (packet.family === 'ipv6' && (packet.transport >= packet.length || packet.protocol === ipv6Header.none)) return false;
  return !isSummed(packet) || isSumRight(packet);
}

const unsummed = new Set<number>([proto.gre, proto.ah, proto.esp, proto.sctp, proto.udplite]);

/** @see nf_reject_verify_csum() in include/net/netfilter/nf_reject.h */
function isSummed(packet: Packet): boolean {
  if (packet.protocol === proto.udp) return packet.transportLength < 8 || packet.u16(packet.transport + 6) !== 0;
  return !unsummed.has(packet.protocol);
}

/** @see nf_ip_checksum(), nf_ip6_checksum() in net/netfilter/utils.c: a pseudo header for TCP and UDP, and for all in IPv6. */
function isSumRight(packet: Packet): boolean {
  const { protocol, transport, length } = packet;
  const hasPseudoHeader = packet.family === 'ipv6' || protocol === proto.tcp || protocol === proto.udp;
  const pseudo = hasPseudoHeader ? pseudoHeaderSum(packet, protocol, length - transport) : 0;
  const sum = fold(sumOf(packet.bytes, transport, length, pseudo));
  return sum === 0xffff || (sum === 0 && !hasPseudoHeader);
}

/** @see nf_send_reset() in net/ipv4/netfilter/nf_reject_ipv4.c, nf_send_reset6() in net/ipv6/netfilter/nf_reject_ipv6.c */
function tcpReset(packet: Packet, host: AnswerHost): Packet | undefined {
  if (packet.protocol !== proto.tcp || packet.length - packet.transport < 20 || (packet.tcpFlags & Flag.Reset) !== 0) return undefined;
  if (!packet.isChecksumTrusted && !isSumRight(packet)) return undefined;
  if (!(packet.family === 'ipv4' ? isToOne(packet, host) : isUnicast6(packet, 8) && isUnicast6(packet, 24))) return undefined;
  if (host.sourceTowards(packet.src) === undefined) return undefined;
  const reset = new Packet(packet.family, resetBytes(packet, host));
  setHeaderChecksum(reset);
  setTransportChecksum(reset);
  return attached(reset, packet, host);
}

function isToOne(packet: Packet, host: AnswerHost): boolean {
  const types = host.addressTypes(packet.dst);
  return !types.has('BROADCAST') && !types.has('MULTICAST');
}

/** Is the address at the offset neither `::`, nor multicast, nor IPv4-mapped? @see ipv6_addr_type() */
function isUnicast6(packet: Packet, at: number): boolean {
  if (packet.u8(at) === 0xff) return false;
  const isLow = packet.u32(at) === 0 && packet.u32(at + 4) === 0;
  const third = packet.u32(at + 8);
  return !isLow || (third !== 0xffff && (third !== 0 || packet.u32(at + 12) !== 0));
}

/** No options, no data, window 0; the other way round. */
function resetBytes(packet: Packet, host: AnswerHost): Uint8Array {
  const isV4 = packet.family === 'ipv4';
  const at = isV4 ? 20 : 40;
  const bytes = new Uint8Array(at + 20);
  if (isV4) bytes.set([0x45, 0, 0, 40, 0, 0, 0x40, 0, host.sysctl('net.ipv4.ip_default_ttl'), proto.tcp]);
  else bytes.set([0x60, 0, 0, 0, 0, 20, proto.tcp, host.sysctl('net.ipv6.conf.all.hop_limit')]);
  const addresses = isV4 ? 12 : 8;
  const size = isV4 ? 4 : 16;
  bytes.set(packet.bytes.subarray(addresses + size, addresses + 2 * size), addresses);
  bytes.set(packet.bytes.subarray(addresses, addresses + size), addresses + size);
  const { transport, tcpFlags } = packet;
  bytes.set(packet.bytes.subarray(transport + 2, transport + 4), at);
  bytes.set(packet.bytes.subarray(transport, transport + 2), at + 2);
  bytes[at + 12] = 0x50;
  if ((tcpFlags & Flag.Ack) !== 0) {
    bytes[at + 13] = Flag.Reset;
    put32(bytes, at + 4, packet.u32(transport + 8));
  } else {
    bytes[at + 13] = Flag.Reset | Flag.Ack;
    // A header length that is not true counts as it is.
    const data = packet.length - transport - (packet.u8(transport + 12) >> 4) * 4;
    const counted = Number((tcpFlags & Flag.Syn) !== 0) + Number((tcpFlags & Flag.Fin) !== 0);
    put32(bytes, at + 8, packet.u32(transport + 4) + counted + data);
  }
  return bytes;
}
