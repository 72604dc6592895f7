/** DCCP packets with sequence numbers of 48 bits (RFC 4340, 5). */
import type { ScenarioPacket } from '../scenario.js';
import { packetDefaults } from './packet-defaults.js';
import { payloadOf } from './payload.js';

/** Between the generic header and the payload, in bytes: REQUEST, RESPONSE, DATA, ACK, DATAACK, CLOSEREQ, CLOSE, RESET, SYNC, SYNCACK. */
const typeHeader = [4, 12, 0, 8, 8, 8, 8, 12, 8, 8];

const request = 0, data = 2;

/** From the DCCP header on, its checksum still 0. `type` says which packet; without it a REQUEST. */
export function dccpBytes(packet: ScenarioPacket): Uint8Array {
  const type = packet.type ?? request;
  const payload = payloadOf(packet);
  const headerLength = 16 + (typeHeader[type] ?? 0);
  const bytes = new Uint8Array(headerLength + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, packet.sport ?? 0);
  view.setUint16(2, packet.dport ?? 0);
  view.setUint8(4, headerLength / 4);
  view.setUint8(8, ((type & 15) << 1) | 1);
  view.setUint32(12, packet.seq ?? packetDefaults.seq);
  if (type !== request && type !== data && type < typeHeader.length) view.setUint32(20, packet.ack ?? 0);
  bytes.set(payload, headerLength);
  return bytes;
}
