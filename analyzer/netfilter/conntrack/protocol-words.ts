/** Protocols as conntrack(8) names them. */
import { protocolNumber as proto } from '../../packet/protocols.js';

const numbers = new Map<string, number>(Object.entries(proto));
const names = new Map<number, string>(Object.entries(proto).map(([name, number]) => [number, name]));

/** `tcp`, `icmpv6`, `esp` …; undefined where it has no name in netfilter. */
export function protocolName(number: number): string | undefined {
  return names.get(number);
}

export function protocolByName(name: string): number | undefined {
  return numbers.get(name);
}

/** What conntrack(8) calls by name in a listing; all else is `unknown`. */
const listed: ReadonlySet<number> = new Set([proto.tcp, proto.udp, proto.udplite, proto.sctp, proto.dccp, proto.icmp, proto.icmpv6, proto.gre]);

export function listedName(number: number): string {
  return listed.has(number) ? protocolName(number) ?? 'unknown' : 'unknown';
}
