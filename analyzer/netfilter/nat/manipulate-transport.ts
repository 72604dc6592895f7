/** Ports, ids and keys written into the headers of layer 4, with the checksums that cover them and the addresses. */
import { crc32c } from '../../packet/crc32c.js';
import { icmpQueries } from '../../packet/icmp-types.js';
import { protocolNumber as proto } from '../../packet/protocols.js';
import { put16 } from '../../packet/put.js';
import { followChecksum } from './follow-checksum.js';
import type { NatSide } from './nat-host.js';

export interface TransportChange {
  readonly side: NatSide;
  /** Whose header it is. */
  readonly protocol: number;
  /** The new port; of ICMP the id, of GRE the key. */
  readonly port: number;
}

const icmp6Queries: ReadonlySet<number> = new Set([128, 129]);

/** Writes a word; how much the sum over it grows. */
function replace16(bytes: Uint8Array, at: number, value: number): number {
  const before = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  put16(bytes, at, value);
  return (~before & 0xffff) + value;
}

function putPort(bytes: Uint8Array, at: number, { side, port }: TransportChange): number {
  return replace16(bytes, side === 'source' ? at : at + 2, port);
}

/** A quoted header may be cut off behind its first 8 bytes: its checksum is not there then. @see tcp_manip_pkt() */
function tcp(bytes: Uint8Array, at: number, change: TransportChange, grows: number): boolean {
  if (at + 8 > bytes.length) return false;
  const byPort = putPort(bytes, at, change);
  if (at + 20 <= bytes.length) followChecksum(bytes, at + 16, grows + byPort);
  return true;
}

/** UDP may have no checksum, which is written 0; UDP-Lite must have one. @see __udp_manip_pkt() */
function udp(bytes: Uint8Array, at: number, change: TransportChange, grows: number): boolean {
  if (at + 8 > bytes.length) return false;
  const hasChecksum = change.protocol === proto.udplite || bytes[at + 6] !== 0 || bytes[at + 7] !== 0;
  const byPort = putPort(bytes, at, change);
  if (!hasChecksum) return true;
  followChecksum(bytes, at + 6, grows + byPort);
  if (bytes[at + 6] === 0 && bytes[at + 7] === 0) bytes[at + 6] = bytes[at + 7] = 0xff;
  return true;
}

/** Its CRC is worked out anew over all that is there: a wrong one becomes right, and that of a quote cut off wrong. @see sctp_manip_pkt() */
function sctp(bytes: Uint8Array, at: number, change: TransportChange): boolean {
  if (at + 8 > bytes.length) return false;
  putPort(bytes, at, change);
  if (at + 12 > bytes.length) return true;
  const crc = crc32c(bytes, at, at + 8);
  for (let index = 0; index < 4; index++) bytes[at + 8 + index] = crc >>> (8 * index);
  return true;
}

/** Its checksum does not cover addresses. @see icmp_manip_pkt() */
function icmp(bytes: Uint8Array, at: number, { port }: TransportChange): boolean {
  if (at + 8 > bytes.length) return false;
  if (icmpQueries.has(bytes[at] ?? 0)) followChecksum(bytes, at + 2, replace16(bytes, at + 4, port));
  return true;
}

/** @see icmpv6_manip_pkt() */
function icmp6(bytes: Uint8Array, at: number, { port }: TransportChange, grows: number): boolean {
  if (at + 8 > bytes.length) return false;
  const byId = icmp6Queries.has(bytes[at] ?? 0) ? replace16(bytes, at + 4, port) : 0;
  followChecksum(bytes, at + 2, grows + byId);
  return true;
}

/** A packet bears only the key of its destination, and only in version 1, PPTP's. @see gre_manip_pkt() */
function gre(bytes: Uint8Array, at: number, { side, port }: TransportChange): boolean {
  if (at + 8 > bytes.length) return false;
  const version = (bytes[at + 1] ?? 0) & 7;
  if (side === 'source' || version === 0) return true;
  if (version === 1) put16(bytes, at + 6, port);
  return version === 1;
}

/**
 * Changes the layer 4 header at byte `at`; `grows` is by how much the change of the address makes the sum of 16-bit words grow.
 * False where the header is cut off. Protocols that are not named here (DCCP too) keep even the checksum that they have.
 * @see l4proto_manip_pkt() in net/netfilter/nf_nat_proto.c
 */
export function manipulateTransport(bytes: Uint8Array, at: number, change: TransportChange, grows: number): boolean {
  switch (change.protocol) {
    case proto.tcp: return tcp(bytes, at, change, grows);
    case proto.udp: case proto.udplite: return udp(bytes, at, change, grows);
    case proto.icmp: return icmp(bytes, at, change);
    case proto.icmpv6: return icmp6(bytes, at, change, grows);
    case proto.sctp: return sctp(bytes, at, change);
    case proto.gre: return gre(bytes, at, change);
    default: return true;
  }
}
