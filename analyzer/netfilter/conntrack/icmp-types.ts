/** ICMP and ICMPv6 types, as connection tracking sees them. */
import { icmpErrors } from '../../packet/icmp-types.js';
import { protocolNumber as proto } from '../../packet/protocols.js';

/** Queries and their answers. */
const pairs = {
  [proto.icmp]: [[8, 0], [13, 14], [15, 16], [17, 18]],
  [proto.icmpv6]: [[128, 129], [139, 140]],
} as const satisfies Record<number, readonly (readonly [query: number, answer: number])[]>;

export type IcmpProtocol = typeof proto.icmp | typeof proto.icmpv6;

function inverses(protocol: IcmpProtocol): ReadonlyMap<number, number> {
  return new Map(pairs[protocol].flatMap(([query, answer]) => [[query, answer], [answer, query]] as const));
}

const inverse4 = inverses(proto.icmp), inverse6 = inverses(proto.icmpv6);

/** The type that answers this one, or that it answers; undefined where there is none. */
export function icmpInverse(protocol: IcmpProtocol, type: number): number | undefined {
  return (protocol === proto.icmp ? inverse4 : inverse6).get(type);
}

const queries4: ReadonlySet<number> = new Set(pairs[proto.icmp].map(([query]) => query));
const queries6: ReadonlySet<number> = new Set(pairs[proto.icmpv6].map(([query]) => query));

/** Does it open a flow? */
export function isIcmpQuery(protocol: IcmpProtocol, type: number): boolean {
  return (protocol === proto.icmp ? queries4 : queries6).has(type);
}

/** Does it quote a packet? */
export function isIcmpError(protocol: IcmpProtocol, type: number): boolean {
  return protocol === proto.icmp ? icmpErrors.has(type) : type < 128;
}

/** Multicast listener, multicast router and neighbour discovery: never tracked. */
const untracked6: ReadonlySet<number> = new Set([130, 131, 132, 133, 134, 135, 136, 143, 151, 152]);

/** @see noct_valid_new in net/netfilter/nf_conntrack_proto_icmpv6.c */
export function isUntrackedIcmp6(type: number): boolean {
  return untracked6.has(type);
}
