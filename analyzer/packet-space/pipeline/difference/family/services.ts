/** The services that rules tell apart. */
import { protocolNumber } from '../../../../packet/protocols.js';
import type { Mentions } from './mentions.js';
import type { Service } from './side.js';

const { tcp, udp, icmp, icmpv6 } = protocolNumber;
const named: ReadonlySet<number> = new Set([tcp, udp, icmp, icmpv6]);
/** For experiments (RFC 3692): stands for all protocols that nobody names. */
const unnamed = 253;
const last = 65_535;

/** DHCPv6 is spoken on the link alone, and what IPv4 has in its place passes rules by. */
const linkPorts = { low: 546, high: 547 };

/** Each protocol with all its ports, as neither rule set may have anything to say about any of them. */
export function servicesOf(mentions: readonly Mentions[]): readonly Service[] {
  const others = new Set(mentions.flatMap(one => [...one.protocols]).filter(one => !named.has(one) && one > 0));
  return [{ kind: 'tcp', low: 1, high: last }, { kind: 'udp', low: 1, high: last }, { kind: 'ping' }, ...[...others, unnamed].sort((a, b) => a - b).map((protocol): Service => ({ kind: 'other', protocol }))];
}

/** Where runs of ports begin that all rules treat alike. */
export function portStarts(mentions: readonly Mentions[]): readonly number[] {
  const ranges = [...mentions.flatMap(one => one.ports), linkPorts];
  return [...new Set([1, ...ranges.flatMap(({ low, high }) => [Number(low), Number(high) + 1])])].filter(start => start > 0 && start <= last).sort((a, b) => a - b);
}

export function isOfTheLink(service: Service): boolean {
  return service.kind === 'udp' && service.low >= linkPorts.low && service.high <= linkPorts.high;
}

/** The part of a service that a packet to this port is of, and what is left of it. */
export function splitAt(service: Service, port: number, starts: readonly number[]): { readonly own: Service; readonly rest: readonly Service[] } {
  if (service.kind !== 'tcp' && service.kind !== 'udp') return { own: service, rest: [] };
  const { kind } = service;
  const low = Math.max(service.low, starts.findLast(start => start <= port) ?? 1);
  const high = Math.min(service.high, (starts.find(start => start > port) ?? last + 1) - 1);
  return { own: { kind, low, high }, rest: [...service.low < low ? [{ kind, low: service.low, high: low - 1 }] : [], ...high < service.high ? [{ kind, low: high + 1, high: service.high }] : []] };
}
