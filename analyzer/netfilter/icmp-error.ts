/** ICMP errors that the host sends: for REJECT, and of its own when it forwards. */
import type { AddressType } from '../values/address-types.js';
import { ctstates } from '../packet/constraint.js';
import { Packet } from '../packet/packet.js';
import { protocolNumber as proto } from '../packet/protocols.js';
import { setHeaderChecksum, setTransportChecksum } from '../packet/rewrite.js';

/** The host around an answer. */
export interface AnswerHost {
  /** How the routing tables see an address. */
  addressTypes(address: number | bigint): ReadonlySet<AddressType>;
  /** The source that routing gives to a packet of the host's own; undefined: no route leads there. */
  sourceTowards(destination: number | bigint): number | bigint | undefined;
  /** Read: `net.ipv4.ip_default_ttl`, `net.ipv6.conf.all.hop_limit`, `net.ipv4.fwmark_reflect`, `net.ipv6.fwmark_reflect`. */
  sysctl(name: string): number;
}

/** ICMP types up to 18 that are not errors; all above are taken for errors (icmp_pointers[]). */
const icmpQueries = new Set([0, 8, 13, 14, 15, 16, 17, 18]);
const maxIpv4 = 576, maxIpv6 = 1280;
const tooBig = 2;

/**
 * The error about `packet`, which is quoted as it is now; `info` is the word behind the checksum (an MTU, a pointer).
 * Undefined where the kernel keeps silent: about errors, later fragments, broadcast and multicast. Rate limits are
 * not modelled, nor are IP options copied into the answer.
 * @see __icmp_send() in net/ipv4/icmp.c, icmp6_send() in net/ipv6/icmp.c
 */
export function icmpError(packet: Packet, type: number, code: number, info: number, host: AnswerHost): Packet | undefined {
  const isAllowed = packet.family === 'ipv4' ? mayAnswer4(packet, host) : mayAnswer6(packet, type);
  if (!isAllowed) return undefined;
  const source = host.addressTypes(packet.dst).has('LOCAL') ? packet.dst : host.sourceTowards(packet.src);
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

function mayAnswer4(packet: Packet, host: AnswerHost): boolean {
  if (isToMany(packet) || packet.fragmentOffset > 0) return false;
  const types = host.addressTypes(packet.dst);
  if (types.has('BROADCAST') || types.has('MULTICAST')) return false;
  return packet.protocol !== proto.icmp || (packet.transportLength > 0 && icmpQueries.has(packet.icmpType));
}

function mayAnswer6(packet: Packet, type: number): boolean {
  if ((packet.u8(24) === 0xff || isToMany(packet)) && type !== tooBig) return false;
  if (packet.u8(8) === 0xff || isUnspecified(packet)) return false;
  return packet.protocol !== proto.icmpv6 || packet.fragmentOffset > 0 || (packet.transportLength > 0 && packet.icmpType >= 0x80);
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
  put32(bytes, 12, Number(source));
  bytes.set(packet.bytes.subarray(12, 16), 16);
  bytes.set(quoted, 28);
  return new Packet('ipv4', bytes);
}

function error6(packet: Packet, source: number | bigint, host: AnswerHost): Packet {
  const quoted = packet.bytes.subarray(0, Math.min(packet.length, maxIpv6 - 48));
  const bytes = new Uint8Array(48 + quoted.length);
  const payload = bytes.length - 40;
  bytes.set([0x60, 0, 0, 0, payload >>> 8, payload & 0xff, proto.icmpv6, host.sysctl('net.ipv6.conf.all.hop_limit')]);
  for (let word = 0; word < 4; word++) put32(bytes, 8 + 4 * word, Number((BigInt(source) >> BigInt(96 - 32 * word)) & 0xffff_ffffn));
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

export function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = (value >>> 16) & 0xff;
  bytes[at + 2] = (value >>> 8) & 0xff;
  bytes[at + 3] = value & 0xff;
}
