/** A packet in one line, for people. */
import type { ScenarioPacket } from '../scenario.js';
import { packetDefaults } from './packet-defaults.js';

type Key = 'flags' | 'type' | 'code' | 'id' | 'chunk' | 'ttl' | 'tos' | 'mark' | 'uid' | 'frag_off' | 'fragsize' | 'cut' | 'udplen' | 'payload_len';

/** What is said of a packet where it is there, in this order; sequence numbers and the like say little to a reader. */
const said: readonly Key[] = ['flags', 'type', 'code', 'id', 'chunk', 'ttl', 'tos', 'mark', 'uid', 'frag_off', 'fragsize', 'cut', 'udplen', 'payload_len'];
const flags = ['df', 'mf', 'badcsum', 'badipcsum'] as const;

function endOf(address: string | undefined, port: number | undefined): string {
  const host = address ?? '?';
  return port === undefined ? host : `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

function isUsual(key: Key, value: unknown): boolean {
  return value === undefined || (key === 'ttl' && value === packetDefaults.ttl) || (key === 'tos' && value === 0) || (key === 'payload_len' && value === 0);
}

function payloadLength({ payload, payload_hex: hex, payload_len: length }: ScenarioPacket): number {
  return hex !== undefined ? hex.length / 2 : payload !== undefined ? new TextEncoder().encode(payload).length : length ?? 0;
}

/** `tcp 198.51.100.7:40000 > 192.0.2.1:22 flags S`, in the words that `--packet` takes. */
export function packetLine(packet: ScenarioPacket): string {
  const usual = packet.proto === 'tcp' ? { flags: packetDefaults.flags } : {};
  const shown: ScenarioPacket = { ...usual, ...packet, payload_len: payloadLength(packet) };
  const fields = said.filter(key => !isUsual(key, shown[key])).map(key => `${key} ${String(shown[key])}`);
  const set = flags.filter(key => shown[key] === true);
  const quote = packet.quote === undefined ? [] : [`about ${packetLine(packet.quote)}`];
  return [String(packet.proto), endOf(packet.src, packet.sport), '>', endOf(packet.dst, packet.dport), ...fields, ...set, ...quote].join(' ');
}
