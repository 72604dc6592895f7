/** IP protocol numbers that have a name of their own in netfilter (IANA protocol-numbers). */
export const protocolNumber = {
  icmp: 1, igmp: 2, tcp: 6, udp: 17, dccp: 33, ipv6: 41, gre: 47, esp: 50, ah: 51, icmpv6: 58, ipcomp: 108, sctp: 132, mh: 135, udplite: 136,
} as const;
export type ProtocolName = keyof typeof protocolNumber;
