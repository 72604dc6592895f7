/** The table of connections as a scenario answers it. */
import { ctstatus, type Connection, type Tuple } from '../../packet/connection.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { printAddress } from '../../values/address.js';
import type { ConntrackAnswer } from '../scenario.js';
import type { Conntrack } from './conntrack.js';
import { protocolName } from './protocol-words.js';

/** Status bits by the names that people know. The rest (NAT's own notes that it has been) are of no interest. */
const names = [
  [ctstatus.EXPECTED, 'EXPECTED'], [ctstatus.SEEN_REPLY, 'SEEN_REPLY'], [ctstatus.ASSURED, 'ASSURED'], [ctstatus.CONFIRMED, 'CONFIRMED'],
  [ctstatus.SRC_NAT, 'SNAT'], [ctstatus.DST_NAT, 'DNAT'], [ctstatus.SEQ_ADJUST, 'SEQ_ADJUST'], [ctstatus.DYING, 'DYING'],
  [ctstatus.FIXED_TIMEOUT, 'FIXED_TIMEOUT'], [ctstatus.NAT_CLASH, 'NAT_CLASH'], [ctstatus.HELPER, 'HELPER'],
] as const;

export function statusNames(status: number): string[] {
  return names.filter(([bit]) => (status & bit) !== 0).map(([, name]) => name);
}

const withPorts: ReadonlySet<number> = new Set([proto.tcp, proto.udp, proto.udplite, proto.sctp]);

/** An IPv6 address before a port stands in brackets. */
function endpoint(address: number | bigint, port: number): string {
  const text = printAddress(address);
  return `${typeof address === 'bigint' ? `[${text}]` : text}:${String(port)}`;
}

/**
 * `tcp 192.0.2.9:40000>10.0.0.5:80`, `udp [2001:db8::9]:40000>[2001:db8::5]:53`, `icmp 192.0.2.9>10.0.0.5 type 8 code 0 id 1`,
 * `gre 192.0.2.9>10.0.0.5 key 0x0>0x1`; other protocols `esp 192.0.2.9>10.0.0.5`, by number where they have no name: `89 192.0.2.9>10.0.0.5`.
 */
export function tupleText({ src, dst, protocol, sport, dport }: Tuple): string {
  const name = protocolName(protocol) ?? String(protocol);
  if (withPorts.has(protocol)) return `${name} ${endpoint(src, sport)}>${endpoint(dst, dport)}`;
  const addresses = `${name} ${printAddress(src)}>${printAddress(dst)}`;
  if (protocol === proto.icmp || protocol === proto.icmpv6) return `${addresses} type ${String(dport >>> 8)} code ${String(dport & 0xff)} id ${String(sport)}`;
  return protocol === proto.gre ? `${addresses} key 0x${sport.toString(16)}>0x${dport.toString(16)}` : addresses;
}

/** Whole seconds that are left; a little is forgiven, for clocks are sums of fractions. */
export function secondsLeft(connection: Connection, now: number): number {
  return Math.max(0, Math.floor(connection.expires - now + 1e-6));
}

function answer(connection: Connection, now: number): ConntrackAnswer {
  const { original, reply, status, mark, zones, helper, protocolStateName } = connection;
  return {
    orig: tupleText(original),
    reply: tupleText(reply),
    status: statusNames(status),
    ...(original.protocol === proto.tcp ? { tcp: protocolStateName } : {}),
    timeout: secondsLeft(connection, now),
    mark,
    zone: zones[0] === 0 ? zones[1] : zones[0],
    ...(helper === '' ? {} : { helper }),
  };
}

/** Every connection, the oldest first. */
export function conntrackAnswers(conntrack: Conntrack): ConntrackAnswer[] {
  return Array.from(conntrack.connections(), connection => answer(connection, conntrack.now));
}
