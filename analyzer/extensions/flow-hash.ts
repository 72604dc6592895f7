/** The hash by which `-j HMARK` chooses a mark. */
import { addressWords } from '../packet/address-words.js';
import { icmpErrors } from '../packet/icmp-types.js';
import { jhash, scaled } from '../packet/jhash.js';
import { Packet } from '../packet/packet.js';
import { portsOffset } from '../packet/ports-at.js';

export interface FlowHash {
  /** Hash what connection tracking knows, and not what the packet says. */
  readonly ct: boolean;
  /** Masks of the addresses as words of 32 bits: one or four. */
  readonly srcMask: readonly number[];
  readonly dstMask: readonly number[];
  /** Of both ports (the source port is in the upper half), or of the SPI: the bits that count, and bits that are set. */
  readonly portMask: number;
  readonly portSet: number;
  readonly protocolMask: number;
  readonly seed: number;
  readonly modulus: number;
  readonly offset: number;
}

interface Flow {
  readonly src: number;
  readonly dst: number;
  /** Undefined: the packet has none, and they are not masked either. */
  readonly ports: number | undefined;
  readonly protocol: number;
}

const icmp = 1, icmp6 = 58;

/** The words of an address that count, folded into one. @see hmark_addr_mask() */
function foldAddress(address: number | bigint, mask: readonly number[]): number {
  if (typeof address === 'number') return (address & (mask[0] ?? 0)) >>> 0;
  return addressWords(address).reduce((folded, word, index) => folded ^ (word & (mask[index] ?? 0)), 0) >>> 0;
}

/** The packet that an ICMP error quotes, else the packet itself; undefined where the quoted header is not there. */
function innermost(packet: Packet): Packet | undefined {
  const { family, protocol, transport, transportLength } = packet;
  if (protocol !== (family === 'ipv4' ? icmp : icmp6) || packet.isFragment || transportLength < 8) return packet;
  const isError = family === 'ipv4' ? icmpErrors.has(packet.icmpType) : packet.icmpType > 0 && packet.icmpType < 128;
  if (!isError) return packet;
  return transportLength < 8 + (family === 'ipv4' ? 20 : 40) ? undefined : new Packet(family, quoted(packet.bytes.slice(transport + 8), family));
}

/** What is quoted is cut short: its length is made to fit, so that its headers can be found. */
function quoted(bytes: Uint8Array, family: Packet['family']): Uint8Array {
  const at = family === 'ipv4' ? 2 : 4;
  const length = Math.min(0xffff, family === 'ipv4' ? bytes.length : bytes.length - 40);
  bytes[at] = length >>> 8;
  bytes[at + 1] = length & 0xff;
  return bytes;
}

/** @see hmark_pkt_set_htuple_ipv4() and hmark_pkt_set_htuple_ipv6() */
function flowOfPacket(outer: Packet, { srcMask, dstMask }: FlowHash): Flow | undefined {
  const packet = innermost(outer);
  if (packet === undefined) return undefined;
  const { protocol, transport, isFragment } = packet;
  const at = portsOffset(protocol);
  const hasPorts = at !== undefined && !isFragment && packet.transportLength >= at + 4;
  return { src: foldAddress(packet.src, srcMask), dst: foldAddress(packet.dst, dstMask), protocol, ports: hasPorts ? packet.u32(transport + at) : undefined };
}

/** @see hmark_ct_set_htuple(): where the first packet came from, and where the answers come from. */
function flowOfConnection({ connection }: Packet, { srcMask, dstMask }: FlowHash): Flow | undefined {
  if (connection === undefined) return undefined;
  const { original, reply } = connection;
  const ports = original.protocol === icmp ? undefined : ((original.sport << 16) | reply.sport) >>> 0;
  return { src: foldAddress(original.src, srcMask), dst: foldAddress(reply.src, dstMask), protocol: original.protocol, ports };
}

/** Both directions of a flow give one number: the greater port comes first. @see hmark_swap_ports() */
function sortedPorts(ports: number, { portMask, portSet }: FlowHash): number {
  const both = (ports & portMask) | portSet;
  const first = both >>> 16;
  const second = both & 0xffff;
  return second > first ? ((second << 16) | first) >>> 0 : ((first << 16) | second) >>> 0;
}

/** The mark, or undefined where there is nothing to hash. @see hmark_hash() in net/netfilter/xt_HMARK.c */
export function markOfFlow(packet: Packet, how: FlowHash): number | undefined {
  const flow = how.ct ? flowOfConnection(packet, how) : flowOfPacket(packet, how);
  if (flow === undefined) return undefined;
  const { src, dst, ports, protocol } = flow;
  const words = [Math.min(src, dst), Math.max(src, dst), ports === undefined ? 0 : sortedPorts(ports, how)];
  const hash = (jhash(words, how.seed) ^ (protocol & how.protocolMask)) >>> 0;
  return (scaled(hash, how.modulus) + how.offset) >>> 0;
}
