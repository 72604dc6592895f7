/** From a packet in words to its bytes. */
import { sumOf } from '../../packet/checksum.js';
import { printAddress } from '../../values/address.js';
import type { Family } from '../../values/value.js';
import { addressBytes, addressOf } from './address-bytes.js';
import { packetDefaults, quoteLimit } from './packet-defaults.js';
import { protocolOf } from './protocol-names.js';
import { ScenarioError } from './scenario-error.js';
import { transportBytes, type Surroundings } from './transport-bytes.js';
import type { ScenarioPacket } from '../scenario.js';

/** A piece of layer 4, and where it belongs; `position` undefined: it is no fragment. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly position: { /** In units of 8 bytes. */ readonly offset: number; readonly more: boolean } | undefined;
}

const wrongHeaderChecksum = 0x5a5a;

/** A header without options. */
function ipv4(packet: ScenarioPacket, protocol: number, { source, destination }: Surroundings, { bytes: payload, position }: Piece): Uint8Array {
  const bytes = new Uint8Array(20 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x45);
  view.setUint8(1, packet.tos ?? 0);
  view.setUint16(2, bytes.length);
  view.setUint16(4, packet.ip_id ?? packetDefaults.ipId);
  view.setUint16(6, (packet.df === true ? 0x4000 : 0) | (position?.more === true ? 0x2000 : 0) | ((position?.offset ?? 0) & 0x1fff));
  view.setUint8(8, packet.ttl ?? packetDefaults.ttl);
  view.setUint8(9, protocol);
  bytes.set(source, 12);
  bytes.set(destination, 16);
  const checksum = ~sumOf(bytes, 0, 20) & 0xffff;
  view.setUint16(10, packet.badipcsum === true ? checksum ^ wrongHeaderChecksum : checksum);
  bytes.set(payload, 20);
  return bytes;
}

/** A header, and that of a fragment where it is one. */
function ipv6(packet: ScenarioPacket, protocol: number, { source, destination }: Surroundings, { bytes: payload, position }: Piece): Uint8Array {
  const headerLength = position === undefined ? 40 : 48;
  const bytes = new Uint8Array(headerLength + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x6000_0000 | (((packet.tos ?? 0) & 0xff) << 20));
  view.setUint16(4, bytes.length - 40);
  view.setUint8(6, position === undefined ? protocol : 44);
  view.setUint8(7, packet.ttl ?? packetDefaults.ttl);
  bytes.set(source, 8);
  bytes.set(destination, 24);
  if (position !== undefined) {
    view.setUint8(40, protocol);
    view.setUint16(42, (position.offset << 3) | Number(position.more));
    view.setUint32(44, packet.ip_id ?? packetDefaults.ipId);
  }
  bytes.set(payload, headerLength);
  return bytes;
}

/** What `frag_off` and `mf` say of the packet as a whole. */
function positionOf({ frag_off: offset, mf }: ScenarioPacket): Piece['position'] {
  return offset === undefined && mf === undefined ? undefined : { offset: offset ?? 0, more: mf === true };
}

/** Cuts layer 4 into pieces of `fragsize` bytes, rounded down to what a fragment can carry. */
function piecesOf(packet: ScenarioPacket, bytes: Uint8Array): readonly Piece[] {
  const whole = { bytes, position: positionOf(packet) };
  if (packet.fragsize === undefined) return [whole];
  if (packet.fragsize < 8) throw new ScenarioError('a fragment carries at least 8 bytes: make `fragsize` larger');
  const size = Math.floor(packet.fragsize / 8) * 8;
  if (bytes.length <= packet.fragsize) return [whole];
  const { offset = 0, more = false } = whole.position ?? {};
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => {
    const end = (index + 1) * size;
    return { bytes: bytes.subarray(index * size, end), position: { offset: offset + index * size / 8, more: end < bytes.length || more } };
  });
}

/** The pieces in the order in which they are to be sent: some may be left out, or sent twice. */
function inOrder(pieces: readonly Piece[], order: readonly number[] | undefined): readonly Piece[] {
  return order?.map(index => {
    const piece = pieces[index];
    if (piece === undefined) throw new ScenarioError(`\`fragorder\` asks for fragment ${String(index)}, and there are ${String(pieces.length)}, counted from 0`);
    return piece;
  }) ?? pieces;
}

const nothing = new Uint8Array(0);

/** The packet that an error quotes; it went the other way, unless it says otherwise. */
function quotedBytes({ quote, quote_len: length }: ScenarioPacket, family: Family, source: Uint8Array, destination: Uint8Array): Uint8Array {
  if (quote === undefined) return nothing;
  const [whole = nothing] = buildPacket({ src: printAddress(addressOf(destination)), dst: printAddress(addressOf(source)), ...quote }, family);
  return whole.subarray(0, Math.max(0, length ?? quoteLimit[family]));
}

/**
 * The bytes of the packet from its IP header on, with right checksums unless it asks for wrong ones; several where it is to
 * be sent as fragments. What is left out takes the value that a real stack would send (`packet-defaults.ts`).
 * `rest_hex` takes the place of everything behind the IP header, `payload_hex` that of `payload`, and that of `payload_len`.
 * A packet with `frag_off` has its layer 4 where a whole one has it: give `rest_hex` for a piece of data.
 * In IPv6 there is a fragment header where `frag_off` or `mf` is given at all.
 * @throws {ScenarioError} where there is no such packet: no address, an unknown protocol, too many bytes
 */
export function buildPacket(packet: ScenarioPacket, family: Family): readonly Uint8Array[] {
  const protocol = protocolOf(packet.proto);
  const source = addressBytes(packet.src, family, '`src`');
  const destination = addressBytes(packet.dst, family, '`dst`');
  const around = { family, source, destination, quoted: quotedBytes(packet, family, source, destination) };
  const pieces = inOrder(piecesOf(packet, transportBytes(packet, protocol, around)), packet.fragorder);
  return pieces.map(piece => {
    if (piece.bytes.length > 65535 - 20) throw new ScenarioError(`an IP packet cannot hold ${String(piece.bytes.length)} bytes`);
    return family === 'ipv4' ? ipv4(packet, protocol, around, piece) : ipv6(packet, protocol, around, piece);
  });
}
