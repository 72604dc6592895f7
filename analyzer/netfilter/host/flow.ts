/** What a routing decision is asked for: `struct flowi`. */
import type { Packet } from '../../packet/packet.js';
import type { Address } from '../../values/address.js';
import type { NextHop, Route } from './route.js';

export interface Flow {
  source: Address;
  destination: Address;
  /** Name of the interface; `lo` for what is sent from here. */
  in: string;
  /** '' where any will do. */
  out: string;
  mark: number;
  tos: number;
  /** Asked by rules only; 0 where it is not known. */
  protocol: number;
  sport: number;
  dport: number;
  uid: number;
}

export interface Found {
  readonly route: Route;
  readonly hop: NextHop;
}

/** The ICMP or ICMPv6 error that the kernel sends because of a packet. */
export interface IcmpError {
  readonly type: number;
  readonly code: number;
  /** Of a parameter problem: the offset that is wrong. */
  readonly pointer?: number;
}

/** A lookup that ended, but not at a route that leads anywhere. */
export interface Failure {
  readonly kind: 'failure';
  readonly reason: 'no route' | 'unreachable' | 'prohibit' | 'blackhole';
  /** By family; undefined: nothing is said. */
  readonly ipv4: IcmpError | undefined;
  readonly ipv6: IcmpError | undefined;
}

const error = (type: number, code: number): IcmpError => ({ type, code });

/** @see fib_props in net/ipv4/fib_semantics.c, ip_error() in net/ipv4/route.c, ip6_pkt_drop() in net/ipv6/route.c */
export const failures: Readonly<Record<'noRoute' | 'unreachable' | 'unreachableByRule' | 'prohibit' | 'blackhole', Failure>> = {
  noRoute: { kind: 'failure', reason: 'no route', ipv4: error(3, 0), ipv6: error(1, 0) },
  unreachable: { kind: 'failure', reason: 'unreachable', ipv4: error(3, 1), ipv6: error(1, 0) },
  unreachableByRule: { kind: 'failure', reason: 'unreachable', ipv4: error(3, 0), ipv6: error(1, 0) },
  prohibit: { kind: 'failure', reason: 'prohibit', ipv4: error(3, 13), ipv6: error(1, 1) },
  blackhole: { kind: 'failure', reason: 'blackhole', ipv4: undefined, ipv6: undefined },
};

/** What one table or rule answers: `throw` and undefined both send the lookup on to the next rule. */
export type Lookup = Found | Failure | undefined;

/** A route that leads nowhere; `throw` is as if the table had no route at all. */
export function failureOf(route: Route): Failure | 'throw' | undefined {
  switch (route.type) {
    case 'blackhole': return failures.blackhole;
    case 'unreachable': return failures.unreachable;
    case 'prohibit': return failures.prohibit;
    case 'throw': return 'throw';
    default: return undefined;
  }
}

/** With ports: TCP, UDP, DCCP, ESP (its SPI), SCTP, UDP-Lite; AH has them four bytes on (proto_ports_offset()). */
const portsAt: Readonly<Record<number, number>> = { 6: 0, 17: 0, 33: 0, 50: 0, 51: 4, 132: 0, 136: 0 };

/** @see fib4_rules_early_flow_dissect() in include/net/ip_fib.h: rules see ports of whole packets only. */
export function dissect(flow: Flow, packet: Packet): void {
  const { protocol } = packet;
  const at = portsAt[protocol];
  const hasPorts = at !== undefined && !packet.isFragment && packet.transportLength >= at + 4;
  flow.protocol = protocol;
  flow.sport = hasPorts ? packet.u16(packet.transport + at) : 0;
  flow.dport = hasPorts ? packet.u16(packet.transport + at + 2) : 0;
}
