import { ipv6Header } from './ipv6-headers.js';
import type { Packet } from './packet.js';
import { protocolNumber } from './protocols.js';

const { tcp, udp, dccp, esp, sctp, udplite, ah } = protocolNumber;

/**
 * The 16 bits `offset` (0 or 2) behind where the protocol has ports or an SPI, and 0 where it has neither; read from later
 * fragments of IPv4 too, while in IPv6 their protocol is that of the fragment header. Undefined where the packet ends before.
 * @see proto_ports_offset() in include/linux/in.h
 */
export function portsAt(packet: Packet, offset: 0 | 2): number | undefined {
  const { protocol, transport, bytes, family } = packet;
  if (family === 'ipv6') {
    if (packet.fragmentOffset > 0) return 0;
    if (protocol === ipv6Header.none || packet.isCutShort) return undefined;
  }
  const at = portsOffset(protocol);
  if (at === undefined) return 0;
  return transport + at + 4 > bytes.length ? undefined : packet.u16(transport + at + offset);
}

/** Where the ports of a protocol, or its SPI, are: bytes from the start of its header; undefined where it has none. */
export function portsOffset(protocol: number): number | undefined {
  switch (protocol) {
    case tcp: case udp: case dccp: case esp: case sctp: case udplite: return 0;
    case ah: return 4;
    default: return undefined;
  }
}
