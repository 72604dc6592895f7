/** SCTP packets with one chunk. */
import { chunkTypes } from '../../values/sctp-chunks.js';
import type { ScenarioPacket } from '../scenario.js';
import { packetDefaults } from './packet-defaults.js';
import { payloadOf } from './payload.js';
import { ScenarioError } from './scenario-error.js';

const init = 1, initAck = 2;

/** What stands between a chunk's own header and its payload, in bytes (RFC 9260, 3.3). */
export const fixedPart: ReadonlyMap<number, number> = new Map([[0, 12], [init, 16], [initAck, 16], [3, 12], [7, 4], [12, 4], [13, 4], [192, 4]]);

/** A chunk type of its number or its name, in any case, with `-` or `_`. */
export function chunkType(chunk: number | string): number {
  const name = String(chunk).toUpperCase().replaceAll('-', '_');
  const type = /^\d{1,3}$/u.test(name) ? Number(name) : chunkTypes.find(one => one.name === name)?.type;
  if (type === undefined || type > 255) throw new ScenarioError(`\`${String(chunk)}\` is not an SCTP chunk type; those with a name are ${chunkTypes.map(one => one.name).join(' ')}`);
  return type;
}

export function chunkName(type: number): number | string {
  return chunkTypes.find(one => one.type === type)?.name ?? type;
}

/** The verification tag that a packet with this chunk carries where nothing is said. */
export function defaultTag(type: number): number {
  return type === init ? 0 : packetDefaults.vtag;
}

/** From the SCTP header on, its checksum still 0: one chunk, padded to a multiple of four bytes. */
export function sctpBytes(packet: ScenarioPacket): Uint8Array {
  const type = chunkType(packet.chunk ?? init);
  const payload = payloadOf(packet);
  const fixed = fixedPart.get(type) ?? 0;
  const length = 4 + fixed + payload.length;
  const bytes = new Uint8Array(12 + Math.ceil(length / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, packet.sport ?? 0);
  view.setUint16(2, packet.dport ?? 0);
  view.setUint32(4, packet.vtag ?? defaultTag(type));
  view.setUint8(12, type);
  // DATA: the first and the last fragment of its message.
  if (type === 0) view.setUint8(13, 3);
  view.setUint16(14, length);
  if (type === init || type === initAck) writeInit(view);
  else if (fixed >= 4) view.setUint32(16, packet.seq ?? packetDefaults.seq);
  bytes.set(payload, 16 + fixed);
  return bytes;
}

/** The tag that answers must carry, a window, one stream each way, and the first TSN. */
function writeInit(view: DataView): void {
  view.setUint32(16, packetDefaults.vtag);
  view.setUint32(20, packetDefaults.win);
  view.setUint16(24, 1);
  view.setUint16(26, 1);
  view.setUint32(28, packetDefaults.seq);
}
