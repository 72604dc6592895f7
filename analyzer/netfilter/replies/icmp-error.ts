/** ICMP errors that the host sends: for REJECT, and of its own when it forwards. */
import type { AddressType } from '../../values/address-types.js';
import { ctstates } from '../../packet/constraint.js';
import { icmpQueries } from '../../packet/icmp-types.js';
import { skipExtensionHeaders } from '../../packet/ipv6-headers.js';
import { Packet } from '../../packet/packet.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { put32, putAddress } from '../../packet/put.js';
import { setHeaderChecksum, setTransportChecksum } from '../../packet/rewrite.js';

/** The host around an answer. */
export interface AnswerHost {
  /** How the routing tables see an address. */
  addressTypes(address: number | bigint): ReadonlySet<AddressType>;
  /** The source that routing gives to a packet of the host's own; undefined: no route leads there. */
  sourceTowards(destination: number | bigint): number | bigint | undefined;
  /** The source of an ICMP error about the packet; undefined: no route leads back. */
  answerSource(cause: Packet): number | bigint | undefined;
  /** Read: `net.ipv4.ip_default_ttl`, `net.ipv6.conf.all.hop_limit`, `net.ipv4.fwmark_reflect`, `net.ipv6.fwmark_reflect`. */
  sysctl(name: string): number;
}

const maxIpv4 = 576, maxIpv6 = 1280;
const tooBig = 2, parameterProblem = 4, unknownOption = 2;

/**
 * The error about `packet`, which is quoted as it is now; `info` is the word behind the checksum (an MTU, a pointer).
 * Undefined where the kernel keeps silent: about errors, later fragments, broadcast and multicast. Rate limits are
 * not modelled, nor are IP options copied into the answer.
 * @see __icmp_send() in net/ipv4/icmp.c, icmp6_send() in net/ipv6/icmp.c
 */
export function icmpError(packet: Packet, type: number, code: number, info: number, host: AnswerHost): Packet | undefined {
  const isAllowed = packet.family === 'ipv4' ? mayAnswer4(packet, host) : mayAnswer6(packet, { type, code, info });
  const source = isAllowed ? host.answerSource(packet) : undefined;
  if (source === undefined) return undefined;
  const error = packet.family === 'ipv4' ? error4(packet, source, host) : error6(packet, source, host);
  const { transport } = error;
  error.bytes[transport] = type;
  error.bytes[transport + 1] = code;
  put32(error.bytes, transport + 4, info);
  setHeaderChecksum(error);
  setTransportChecksum(error);
  return attached(error, packet, host);
}

/** What is no query is taken for an error (icmp_pointers[]), which is not answered with another. */
function mayAnswer4(packet: Packet, host: AnswerHost): boolean {
  if (isToMany(packet) || packet.fragmentOffset > 0) return false;
  const types = host.addressTypes(packet.dst);
  if (types.has('BROADCAST') || types.has('MULTICAST')) return false;
  return packet.protocol !== proto.icmp || (packet.transportLength > 0 && icmpQueries.has(packet.icmpType));
}

function mayAnswer6(packet: Packet, error: Message6): boolean {
  if ((packet.u8(24) === 0xff || isToMany(packet)) && error.type !== tooBig && !isAskedFor(packet, error)) return false;
  if (packet.u8(8) === 0xff || isUnspecified(packet)) return false;
  return !isIcmp6Error(packet);
}

/** Or may be one, for all that is left of it. @see is_ineligible() in net/ipv6/icmp.c */
function isIcmp6Error({ bytes, isFragment }: Packet): boolean {
  const behind = skipExtensionHeaders(bytes, 0);
  if (behind?.protocol !== proto.icmpv6) return false;
  const type = bytes[behind.transport];
  return type === undefined ? !isFragment : type < 0x80;
}

interface Message6 {
  readonly type: number;
  readonly code: number;
  readonly info: number;
}

/** An option that nobody knows may ask for an error even where many got the packet. @see opt_unrec() in net/ipv6/icmp.c */
function isAskedFor(packet: Packet, { type, code, info }: Message6): boolean {
  return type === parameterProblem && code === unknownOption && packet.u8(info) >> 6 === 2;
}

/** Was it sent to more than this host, or to another one, as the link layer saw it (`skb->pkt_type != PACKET_HOST`)? */
function isToMany({ linkType }: Packet): boolean {
  return linkType === 'broadcast' || linkType === 'multicast' || linkType === 'otherhost';
}

function isUnspecified(packet: Packet): boolean {
  return packet.u32(8) === 0 && packet.u32(12) === 0 && packet.u32(16) === 0 && packet.u32(20) === 0;
}

function error4(packet: Packet, source: number | bigint, host: AnswerHost): Packet {
  const quoted = packet.bytes.subarray(0, Math.min(packet.length, maxIpv4 - 28));
  const bytes = new Uint8Array(28 + quoted.length);
  // Precedence: internetwork control.
  bytes.set([0x45, (packet.tos & 0x1e) | 0xc0, bytes.length >>> 8, bytes.length & 0xff, 0, 0, 0, 0, host.sysctl('net.ipv4.ip_default_ttl'), proto.icmp]);
  putAddress(bytes, 12, Number(source));
  bytes.set(packet.bytes.subarray(12, 16), 16);
  bytes.set(quoted, 28);
  return new Packet('ipv4', bytes);
}

function error6(packet: Packet, source: number | bigint, host: AnswerHost): Packet {
  const quoted = packet.bytes.subarray(0, Math.min(packet.length, maxIpv6 - 48));
  const bytes = new Uint8Array(48 + quoted.length);
  const payload = bytes.length - 40;
  bytes.set([0x60, 0, 0, 0, payload >>> 8, payload & 0xff, proto.icmpv6, host.sysctl('net.ipv6.conf.all.hop_limit')]);
  putAddress(bytes, 8, BigInt(source));
  bytes.set(packet.bytes.subarray(8, 24), 24);
  bytes.set(quoted, 48);
  return new Packet('ipv6', bytes);
}

/**
 * An answer belongs to the connection of its cause, as RELATED in the other direction; it does not inherit the mark
 * unless the host reflects marks.
 * @see nf_conntrack_attach() in net/netfilter/nf_conntrack_core.c
 */
export function attached(answer: Packet, cause: Packet, host: AnswerHost): Packet {
  answer.isGenerated = true;
  answer.isAnswerToUntracked = cause.ctstate === ctstates.UNTRACKED;
  answer.isFromKernelSocket = answer.protocol !== proto.tcp;
  answer.isChecksumTrusted = true;
  if (host.sysctl(`net.${cause.family}.fwmark_reflect`) !== 0) answer.mark = cause.mark;
  if (cause.connection !== undefined && cause.ctstate !== ctstates.INVALID && cause.ctstate !== ctstates.UNTRACKED) {
    answer.connection = cause.connection;
    answer.ctstate = ctstates.RELATED;
    answer.direction = cause.direction === 0 ? 1 : 0;
    answer.isRelatedError = answer.protocol !== proto.tcp;
  }
  return answer;
}
