/** From the bytes of a packet to words. */
import { sumOf } from '../../packet/checksum.js';
import { Packet } from '../../packet/packet.js';
import { protocolNumber } from '../../packet/protocols.js';
import { printAddress } from '../../values/address.js';
import type { Family } from '../../values/value.js';
import { buildPacket } from './build-packet.js';
import { describeIcmp, describeTransport } from './describe-transport.js';
import { packetDefaults, quoteLimit, quotingTypes } from './packet-defaults.js';
import { hexOf } from './payload.js';
import { nameOfProtocol } from './protocol-names.js';
import { ScenarioError } from './scenario-error.js';
import { hasRightChecksum } from './transport-bytes.js';
import type { ScenarioPacket } from '../scenario.js';

type Fields = Partial<ScenarioPacket>;

const fragmentHeader = 44;

/** Where the IP header ends, with that of a fragment right behind it in IPv6, and the protocol that is said to follow. */
function startOf(packet: Packet): { readonly at: number; readonly protocol: number } {
  if (packet.family === 'ipv4') return { at: Math.max(20, (packet.u8(0) & 15) * 4), protocol: packet.u8(9) };
  return packet.u8(6) === fragmentHeader && packet.bytes.length >= 48 ? { at: 48, protocol: packet.u8(40) } : { at: 40, protocol: packet.u8(6) };
}

/** The fields of the IP header that are not as they usually are, and always `ttl` and `tos`. */
function describeHeader(packet: Packet): Fields {
  const isV4 = packet.family === 'ipv4';
  const hasFragmentHeader = !isV4 && startOf(packet).at === 48;
  const id = isV4 ? packet.u16(4) : hasFragmentHeader ? packet.u32(44) : packetDefaults.ipId;
  const units = (isV4 ? packet.u16(6) & 0x1fff : hasFragmentHeader ? packet.u16(42) >> 3 : 0);
  const more = isV4 ? (packet.u16(6) & 0x2000) !== 0 : hasFragmentHeader && (packet.u8(43) & 1) !== 0;
  const headerLength = (packet.u8(0) & 15) * 4;
  return {
    ttl: packet.ttl, tos: packet.tos, ...(packet.dontFragment ? { df: true } : {}), ...(id === packetDefaults.ipId ? {} : { ip_id: id }),
    ...(units > 0 || (hasFragmentHeader && !more) ? { frag_off: units } : {}), ...(more ? { mf: true } : {}),
    ...(isV4 && sumOf(packet.bytes, 0, headerLength) !== 0xffff ? { badipcsum: true } : {}),
  };
}

function addressFields({ src, dst }: Packet): Fields {
  return { src: printAddress(src), dst: printAddress(dst) };
}

/** As long as its header says: what a quotation left out is filled with zeros, what a link layer added is cut off. */
function atLengthClaimed(bytes: Uint8Array, family: Family): Uint8Array {
  const { length } = new Packet(family, bytes);
  if (length <= bytes.length) return bytes.subarray(0, length);
  const whole = new Uint8Array(length);
  whole.set(bytes);
  return whole;
}

/** An ICMP error: what it quotes is a packet again, if enough of it is there. */
function describeError(packet: Packet, kind: Family, depth: number): Fields | undefined {
  const quoted = packet.bytes.subarray(packet.transport + 8);
  const isHeaderThere = packet.family === 'ipv4' ? quoted.length >= 20 && (quoted[0] ?? 0) >> 4 === 4 : quoted.length >= 40 && (quoted[0] ?? 0) >> 4 === 6;
  if (!isHeaderThere || depth > 4) return undefined;
  const whole = atLengthClaimed(quoted, packet.family);
  const usual = Math.min(whole.length, quoteLimit[packet.family]);
  return {
    ...describeIcmp(packet, kind), quote: describeFields(new Packet(packet.family, whole), quoted.length >= whole.length, depth + 1),
    ...(quoted.length === usual ? {} : { quote_len: quoted.length }),
  };
}

function describeLayer4(packet: Packet, depth: number): Fields {
  const kind = packet.protocol === protocolNumber.icmp ? 'ipv4' : packet.protocol === protocolNumber.icmpv6 ? 'ipv6' : undefined;
  const isError = kind !== undefined && packet.fragmentOffset === 0 && packet.transportLength >= 8 && quotingTypes[kind].has(packet.icmpType);
  return (isError ? describeError(packet, kind, depth) : undefined) ?? describeTransport(packet);
}

/** What it says of the checksum where all that it covers is there: `badcsum`, if it is wrong. */
function describeChecksum(packet: Packet): Fields {
  const { bytes, family, transport, protocol } = packet;
  const [from, to] = family === 'ipv4' ? [12, 20] : [8, 40];
  const half = (from + to) / 2;
  if (packet.isFragment || (protocol === protocolNumber.udp && packet.u16(transport + 6) === 0)) return {};
  const isRight = hasRightChecksum(bytes.subarray(transport), protocol, { source: bytes.subarray(from, half), destination: bytes.subarray(half, to) });
  return isRight === false ? { badcsum: true } : {};
}

function describeFields(packet: Packet, isWhole: boolean, depth: number): ScenarioPacket {
  const { protocol } = startOf(packet);
  const addresses = addressFields(packet);
  const transport = packet.isSound ? { ...describeLayer4(packet, depth), ...(isWhole ? describeChecksum(packet) : {}) } : {};
  return { proto: nameOfProtocol(protocol), ...addresses, ...transport, ...describeHeader(packet) };
}

/** Whether the words alone lead back to the bytes. */
function isExact(description: ScenarioPacket, bytes: Uint8Array, family: Family): boolean {
  try {
    const [built] = buildPacket(description, family);
    return built?.length === bytes.length && built.every((byte, at) => byte === bytes[at]);
  } catch (error) {
    if (error instanceof ScenarioError) return false;
    throw error;
  }
}

/**
 * The packet in words, of its bytes from the IP header on: addresses, the fields of its protocol, `ttl` and `tos`; other fields
 * only where they are not as usual. Where these would not lead back to the same bytes (IPv6 extension headers, TCP options
 * beyond `mss`, `wscale` and `sackok`, a later fragment, a truncated header), `rest_hex` says all that is behind the IP
 * header, and `proto` is what that header says. `buildPacket(describePacket(bytes))` is `bytes` again, unless they have IPv4
 * options, a flow label or a reserved bit, for which a scenario has no words. Never throws, whatever the bytes are.
 */
export function describePacket(bytes: Uint8Array, family: Family): ScenarioPacket {
  const padded = new Packet(family, bytes);
  const packet = padded.isSound && padded.length < bytes.length ? new Packet(family, bytes.subarray(0, padded.length)) : padded;
  const description = describeFields(packet, true, 0);
  if (isExact(description, packet.bytes, family)) return description;
  return { ...description, rest_hex: hexOf(packet.bytes.subarray(startOf(packet).at)) };
}
