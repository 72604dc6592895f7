/**
 * What the expressions that iptables-nft makes of `-m tcp` and `-m udp` do: they read bytes from where the transport header should
 * be and do not ask whether there is one. Later fragments have ports too, then: those of their payload or, in IPv6, of the IPv6
 * header itself. Where the bytes are missing the rule does not match, and that is all.
 * @see nft_payload_fast_eval() in net/netfilter/nf_tables_core.c
 */
import { allOf, everyPacket, noPacket } from '../packet/predicates.js';
import { headerOffset } from '../packet/transport-header.js';
import type { Predicate } from '../packet/traversal.js';
import type { PortRange } from '../values/port.js';
import type { TcpFlags } from '../values/tcp-flags.js';
import type { Given } from './define.js';
import { asOneComparison, isEveryPort, type PortsGiven } from './save-ports.js';

function portAt(offset: 0 | 2, given: Given<PortRange> | undefined): Predicate {
  if (given === undefined || isEveryPort(given.value)) return everyPacket;
  const { negated, value: { low, high } } = given;
  return ({ packet }) => {
    const at = headerOffset(packet) + offset;
    if (at + 2 > packet.bytes.length) return false;
    const port = packet.u16(at);
    return (port >= low && port <= high) !== negated;
  };
}

export function nativePorts(given: PortsGiven): Predicate {
  const pair = asOneComparison(given);
  if (pair === undefined) return allOf([portAt(0, given.sport), portAt(2, given.dport)]);
  return ({ packet }) => {
    const at = headerOffset(packet);
    return at + 4 <= packet.bytes.length && (packet.u16(at) !== pair.sport || packet.u16(at + 2) !== pair.dport);
  };
}

export function nativeFlags(given: Given<TcpFlags> | undefined): Predicate {
  if (given === undefined || given.value.mask === 0) return everyPacket;
  const { negated, value: { mask, comp } } = given;
  if ((comp & ~mask) !== 0 && !negated) return noPacket;
  return ({ packet }) => {
    const at = headerOffset(packet) + 13;
    return at < packet.bytes.length && ((packet.u8(at) & mask) === comp) !== negated;
  };
}
