/** What a set finds in a packet: the values of its parts, each from the side that the rule names. */
import type { SetFlag } from '../ip-sets.js';
import { ipv6Header } from '../ipv6-headers.js';
import type { Packet } from '../packet.js';
import { protocolNumber } from '../protocols.js';
import type { PartValue } from './element.js';
import type { Part, SetType } from './set-type.js';

const { tcp, udp, udplite, sctp, icmp, icmpv6 } = protocolNumber;
/** Bytes of header that must be there before its ports are read. */
const headerSizes: ReadonlyMap<number, number> = new Map([[tcp, 20], [udp, 8], [udplite, 8], [sctp, 12], [icmp, 8], [icmpv6, 8]]);

/**
 * `protocol << 16 | port`; of ICMP the port is `type << 8 | code`, of protocols without ports 0. Undefined in later fragments
 * and where the header is cut short. @see ip_set_get_ip4_port() and ip_set_get_ip6_port() in net/netfilter/ipset/ip_set_getport.c
 */
function portOf(packet: Packet, isSource: boolean): number | undefined {
  const { protocol, fragmentOffset, family } = packet;
  const size = headerSizes.get(protocol);
  if (family === 'ipv6' && (fragmentOffset > 0 || protocol === ipv6Header.none)) return undefined;
  if (size === undefined) return protocol === 0 ? undefined : protocol << 16;
  if (fragmentOffset > 0 || packet.transportLength < size) return undefined;
  const isIcmp = protocol === icmp || protocol === icmpv6;
  return (protocol << 16) | (isIcmp || isSource ? packet.sport : packet.dport);
}

/** Undefined of packets that are neither TCP nor UDP. @see ip_set_get_ip_port() */
function plainPortOf(packet: Packet, isSource: boolean): number | undefined {
  const port = packet.protocol === tcp || packet.protocol === udp ? portOf(packet, isSource) : undefined;
  return port === undefined ? undefined : port & 0xffff;
}

/** As a number of 48 bits; undefined where there is none or it is all zero. */
function macOf({ sourceMac, destinationMac }: Packet, isSource: boolean): number | undefined {
  const bytes = isSource ? sourceMac : destinationMac;
  let mac = 0;
  for (const byte of bytes ?? []) mac = mac * 256 + byte;
  return mac === 0 ? undefined : mac;
}

function valueOf(part: Part, packet: Packet, isSource: boolean): PartValue | undefined {
  switch (part) {
    case 'ip': case 'net': return isSource ? packet.src : packet.dst;
    case 'port': return portOf(packet, isSource);
    case 'plainPort': return plainPortOf(packet, isSource);
    case 'mac': return macOf(packet, isSource);
    case 'mark': return packet.mark;
    case 'iface': return (isSource ? packet.in : packet.out) || undefined;
    case 'set': return undefined;
  }
}

/** Undefined where the packet lacks one of them, or the rule names too few sides. */
export function valuesOfPacket({ parts }: SetType, packet: Packet, flags: readonly SetFlag[]): PartValue[] | undefined {
  if (flags.length < parts.length) return undefined;
  const values: PartValue[] = [];
  for (const [index, part] of parts.entries()) {
    const value = valueOf(part, packet, flags[index] === 'src');
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}
