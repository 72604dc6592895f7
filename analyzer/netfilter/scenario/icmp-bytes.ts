/** ICMP and ICMPv6 messages. */
import type { Family } from '../../values/value.js';
import type { ScenarioPacket } from '../scenario.js';
import { echo, packetDefaults, queryTypes } from './packet-defaults.js';
import { payloadOf } from './payload.js';

/** From the ICMP header on, its checksum still 0. `kind` says whose types are meant; `quoted` follows the header. */
export function icmpBytes(packet: ScenarioPacket, kind: Family, quoted: Uint8Array): Uint8Array {
  const type = packet.type ?? echo[kind].request;
  const payload = payloadOf(packet);
  const bytes = new Uint8Array(8 + quoted.length + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, type);
  view.setUint8(1, packet.code ?? 0);
  if (packet.rest !== undefined) view.setUint32(4, packet.rest);
  else if (queryTypes[kind].has(type) || packet.id !== undefined || packet.icmp_seq !== undefined) {
    view.setUint16(4, packet.id ?? packetDefaults.icmpId);
    view.setUint16(6, packet.icmp_seq ?? packetDefaults.icmpSeq);
  }
  bytes.set(quoted, 8);
  bytes.set(payload, 8 + quoted.length);
  return bytes;
}
