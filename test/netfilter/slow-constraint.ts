/** What a constraint says of a packet, worked out without haste: every field is a bigint read from the bytes. Oracle for the compiled form. */
import type { Constraint, Field } from '../../analyzer/packet/constraint.js';
import type { LinkType, Packet } from '../../analyzer/packet/packet.js';

function number(bytes: Uint8Array, at: number, length: number): bigint {
  let value = 0n;
  for (let index = 0; index < length; index++) value = value * 256n + BigInt(bytes[at + index] ?? 0);
  return value;
}

const linkTypes: readonly LinkType[] = ['unicast', 'broadcast', 'multicast', 'otherhost', 'outgoing'];

function pkttype(packet: Packet): number {
  if (packet.linkType !== 'loopback') return linkTypes.indexOf(packet.linkType);
  return packet.family === 'ipv6' || number(packet.bytes, 16, 1) >> 4n === 14n ? 2 : 1;
}

function spi({ bytes, protocol, transport }: Packet): bigint {
  if (protocol === 108) return number(bytes, transport + 2, 2);
  return number(bytes, transport + (protocol === 51 ? 4 : 0), 4);
}

function valueOf(field: Field, packet: Packet): bigint {
  const { bytes, transport, family } = packet;
  const isV4 = family === 'ipv4';
  const trafficClass = isV4 ? number(bytes, 1, 1) : (number(bytes, 0, 2) >> 4n) & 255n;
  switch (field) {
    case 'src': return isV4 ? number(bytes, 12, 4) : number(bytes, 8, 16);
    case 'dst': return isV4 ? number(bytes, 16, 4) : number(bytes, 24, 16);
    case 'protocol': return BigInt(packet.protocol);
    case 'fragment': return packet.fragmentOffset === 0 ? 0n : 1n;
    case 'sport': return number(bytes, transport, 2);
    case 'dport': return number(bytes, transport + 2, 2);
    case 'tcpFlags': return number(bytes, transport + 13, 1);
    case 'icmpType': return number(bytes, transport, 1);
    case 'icmpCode': return number(bytes, transport + 1, 1);
    case 'ctstate': return BigInt(Math.max(0, packet.ctstate));
    case 'ctdir': return BigInt(packet.direction);
    case 'mark': return BigInt(packet.mark);
    case 'connmark': return BigInt(packet.connection?.mark ?? 0);
    case 'length': return isV4 ? number(bytes, 2, 2) : number(bytes, 4, 2) + 40n;
    case 'ttl': return number(bytes, isV4 ? 8 : 7, 1);
    case 'dscp': return trafficClass >> 2n;
    case 'ecn': return trafficClass & 3n;
    case 'pkttype': return BigInt(pkttype(packet));
    case 'srcMac': return packet.sourceMac === undefined ? -1n : number(packet.sourceMac, 0, 6);
    case 'spi': return spi(packet);
    case 'sctpChunk': return number(bytes, transport + 12, 1);
    case 'in': case 'out': return -1n;
  }
}

/** Undefined where the constraint has something in it that is not a field. */
export function holds(constraint: Constraint, packet: Packet): boolean | undefined {
  switch (constraint.kind) {
    case 'always': return true;
    case 'never': return false;
    case 'atom': case 'unknown': return undefined;
    case 'within': {
      const value = valueOf(constraint.field, packet);
      return constraint.ranges.some(({ low, high }) => value >= BigInt(low) && value <= BigInt(high));
    }
    case 'masked': return (valueOf(constraint.field, packet) & BigInt(constraint.mask)) === BigInt(constraint.value);
    case 'interface': return constraint.prefix ? packet[constraint.field].startsWith(constraint.name) : packet[constraint.field] === constraint.name;
    case 'not': {
      const inner = holds(constraint.of, packet);
      return inner === undefined ? undefined : !inner;
    }
    case 'all': case 'any': {
      const parts = constraint.of.map(part => holds(part, packet));
      if (parts.includes(undefined)) return undefined;
      return constraint.kind === 'all' ? !parts.includes(false) : parts.includes(true);
    }
  }
}
