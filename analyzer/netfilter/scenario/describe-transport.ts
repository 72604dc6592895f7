/** Layer 4 in words: the inverse of `transport-bytes.ts`. */
import type { Packet } from '../../packet/packet.js';
import { protocolNumber as protocols } from '../../packet/protocols.js';
import type { Family } from '../../values/value.js';
import type { ScenarioPacket } from '../scenario.js';
import { packetDefaults, queryTypes } from './packet-defaults.js';
import { hexOf } from './payload.js';
import { hasPorts } from './protocol-names.js';
import { chunkName, defaultTag, fixedPart } from './sctp-bytes.js';
import { flagText, readOptions } from './tcp-bytes.js';

type Fields = Partial<ScenarioPacket>;

/** Bytes that are all zero are only counted. */
export function payloadFields(bytes: Uint8Array): Fields {
  if (bytes.length === 0) return {};
  return bytes.every(byte => byte === 0) ? { payload_len: bytes.length } : { payload_hex: hexOf(bytes) };
}

function behind(packet: Packet, offset: number): Fields {
  return payloadFields(packet.bytes.subarray(packet.transport + offset));
}

function ports(packet: Packet): Fields {
  return { sport: packet.sport, dport: packet.dport };
}

function describeTcp(packet: Packet): Fields {
  const { transport: at, transportLength } = packet;
  const doff = packet.u8(at + 12) >> 4;
  const isDoffRight = doff >= 5 && doff * 4 <= transportLength;
  const headerLength = isDoffRight ? doff * 4 : 20;
  const [ack, urg] = [packet.u32(at + 8), packet.u16(at + 18)];
  return {
    ...ports(packet), flags: flagText(packet.tcpFlags), seq: packet.u32(at + 4), ...(ack === 0 ? {} : { ack }), win: packet.u16(at + 14),
    ...readOptions(packet.bytes.subarray(at + 20, at + headerLength)), ...(urg === 0 ? {} : { urg }), ...(isDoffRight ? {} : { doff }),
    ...behind(packet, headerLength),
  };
}

function describeUdp(packet: Packet): Fields {
  const udplen = packet.u16(packet.transport + 4);
  const hasNoChecksum = packet.protocol === protocols.udp && packet.u16(packet.transport + 6) === 0;
  return { ...ports(packet), ...(udplen === packet.transportLength ? {} : { udplen }), ...behind(packet, 8), ...(hasNoChecksum ? { nocsum: true } : {}) };
}

/** The header alone: what follows it is a payload or a quoted packet. */
export function describeIcmp(packet: Packet, kind: Family): Fields {
  const at = packet.transport;
  const type = packet.icmpType;
  const rest = packet.u32(at + 4);
  const isQuery = queryTypes[kind].has(type);
  return { type, code: packet.icmpCode, ...(isQuery ? { id: rest >>> 16, icmp_seq: rest & 0xffff } : rest === 0 ? {} : { rest }) };
}

function describeSctp(packet: Packet): Fields {
  const at = packet.transport;
  const chunk = packet.u8(at + 12);
  const vtag = packet.u32(at + 4);
  const fixed = fixedPart.get(chunk) ?? 0;
  const payload = packet.bytes.subarray(at + 16 + fixed, Math.max(at + 16 + fixed, at + 12 + packet.u16(at + 14)));
  const hasSequence = fixed >= 4 && chunk !== 1 && chunk !== 2;
  return {
    ...ports(packet), chunk: chunkName(chunk), ...(vtag === defaultTag(chunk) ? {} : { vtag }),
    ...(hasSequence ? { seq: packet.u32(at + 16) } : {}), ...payloadFields(payload),
  };
}

function describeDccp(packet: Packet): Fields {
  const at = packet.transport;
  const type = (packet.u8(at + 8) >> 1) & 15;
  const ack = packet.u32(at + 20);
  const hasAck = type !== 0 && type !== 2 && ack !== 0;
  return { ...ports(packet), type, seq: packet.u32(at + 12), ...(hasAck ? { ack } : {}), ...behind(packet, packet.u8(at + 4) * 4) };
}

function describeGre(packet: Packet): Fields {
  const at = packet.transport;
  return (packet.u8(at + 1) & 7) === 1 ? { dport: packet.u16(at + 6), ...behind(packet, 8) } : behind(packet, 4);
}

function describeIgmp(packet: Packet): Fields {
  const rest = packet.u32(packet.transport + 4);
  return { type: packet.icmpType, code: packet.icmpCode, ...(rest === packet.dst ? {} : { rest }), ...behind(packet, 8) };
}

function describeSecurity(packet: Packet, spiAt: number, headerLength: number): Fields {
  const at = packet.transport + spiAt;
  const spi = packet.u32(at);
  return { ...(spi === packetDefaults.spi ? {} : { spi }), seq: packet.u32(at + 4), ...behind(packet, headerLength) };
}

interface Describer {
  /** A header shorter than this is not described. */
  readonly least: number;
  readonly describe: (packet: Packet) => Fields;
}

const describers: ReadonlyMap<number, Describer> = new Map([
  [protocols.tcp, { least: 20, describe: describeTcp }],
  [protocols.udp, { least: 8, describe: describeUdp }],
  [protocols.udplite, { least: 8, describe: describeUdp }],
  [protocols.icmp, { least: 8, describe: packet => ({ ...describeIcmp(packet, 'ipv4'), ...behind(packet, 8) }) }],
  [protocols.icmpv6, { least: 8, describe: packet => ({ ...describeIcmp(packet, 'ipv6'), ...behind(packet, 8) }) }],
  [protocols.sctp, { least: 16, describe: describeSctp }],
  [protocols.dccp, { least: 16, describe: describeDccp }],
  [protocols.gre, { least: 4, describe: describeGre }],
  [protocols.igmp, { least: 8, describe: describeIgmp }],
  [protocols.esp, { least: 8, describe: packet => describeSecurity(packet, 0, 8) }],
  [protocols.ah, { least: 24, describe: packet => describeSecurity(packet, 4, 24) }],
]);

/** The fields of layer 4 as far as they are there; nothing of a later fragment. */
export function describeTransport(packet: Packet): Fields {
  if (packet.fragmentOffset > 0) return {};
  const describer = describers.get(packet.protocol);
  if (describer === undefined) return behind(packet, 0);
  if (packet.transportLength >= describer.least) return describer.describe(packet);
  return hasPorts(packet.protocol) && packet.transportLength >= 4 ? ports(packet) : {};
}
