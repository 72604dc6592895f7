/** What NAT targets write, as data. */
import { oneOf, type Range } from '../packet/constraint.js';
import { protocolNumber as proto } from '../packet/protocols.js';
import type { Rewriting } from '../packet/rewriting.js';
import type { NatRange as NatMapping } from '../packet/traversal.js';
import type { ValueContext } from '../values/value.js';

/** Protocols whose ports NAT writes. The id of an ICMP query is no field, and DCCP keeps its ports (nf_nat_l4proto_unique_tuple()). */
const withPorts: readonly number[] = [proto.tcp, proto.udp, proto.udplite, proto.sctp];

/** Where a source port may go that no rule names, whichever it was: each stays in its class. @see nf_nat_l4proto_unique_tuple() in net/netfilter/nf_nat_core.c */
const drawnPorts: readonly Range[] = [{ low: 1, high: 511 }, { low: 600, high: 65_535 }];

/**
 * Addresses that may come out of a range, whose ends may be the wrong way round: then it goes on from 0 behind the highest.
 * The kernel chooses 32 bits at a time, and where the ends of an IPv6 range differ in an earlier word, those behind may be any.
 * @see find_best_ips_proto() in net/netfilter/nf_nat_core.c
 */
function addressRanges(low: number | bigint, high: number | bigint): readonly Range[] {
  const [from, to] = [BigInt(low), BigInt(high)];
  let free = 0n;
  while ((from ^ to) >> (free + 32n) !== 0n) free += 32n;
  const top = free + 32n;
  const network = (from >> top) << top;
  const first = (from >> free) << free;
  const last = to | ((1n << free) - 1n);
  const found = first <= last ? [[first, last]] as const : [[network, last], [first, network | ((1n << top) - 1n)]] as const;
  return found.map(([a, b]) => typeof low === 'number' ? { low: Number(a), high: Number(b) } : { low: a, high: b });
}

/**
 * The port, where the rule names ports or lets chance choose the source port. Without that, NAT changes a source port only where another
 * connection has the tuple already, which is not told here.
 */
export function natPortRewrites({ side, minPort, maxPort = minPort, random, randomFully }: NatMapping, { protocol }: ValueContext): readonly Rewriting[] {
  const isDrawn = side === 'source' && (random === true || randomFully === true);
  if (minPort === undefined && !isDrawn) return [];
  const field = side === 'source' ? 'sport' : 'dport';
  const isOne = protocol !== undefined && !protocol.negated && protocol.number !== 0;
  if (isOne && !withPorts.includes(protocol.number)) return [];
  const ranges = minPort === undefined || maxPort === undefined ? drawnPorts : [{ low: minPort, high: maxPort }];
  return [{ kind: 'within', field, ranges, ...isOne ? {} : { where: oneOf('protocol', withPorts) } }];
}

/** What DNAT and SNAT write into the first packet of a connection, and with it into all others of its direction: an address, a port or both. */
export function natRewrites(range: NatMapping, cx: ValueContext): readonly Rewriting[] {
  const { side, minAddress, maxAddress = minAddress } = range;
  const ports = natPortRewrites(range, cx);
  if (minAddress === undefined || maxAddress === undefined) return ports;
  return [{ kind: 'within', field: side === 'source' ? 'src' : 'dst', ranges: addressRanges(minAddress, maxAddress) }, ...ports];
}
