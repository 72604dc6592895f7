/** TCP segments. */
import type { ScenarioPacket } from '../scenario.js';
import { flagLetters, packetDefaults } from './packet-defaults.js';
import { payloadOf } from './payload.js';
import { ScenarioError } from './scenario-error.js';

/** The byte of the header, of letters in any order and case, or `none`. */
export function flagBits(flags: string): number {
  if (flags.toLowerCase() === 'none') return 0;
  let bits = 0;
  for (const letter of flags.toUpperCase()) {
    const bit = flagLetters.indexOf(letter);
    if (bit === -1) throw new ScenarioError(`\`${letter}\` in \`${flags}\` is not a TCP flag; the flags are ${flagLetters}, or none`);
    bits |= 1 << bit;
  }
  return bits;
}

/** `SA`: the usual first. */
export function flagText(bits: number): string {
  return bits === 0 ? 'none' : [...flagLetters].filter((_, bit) => (bits & (1 << bit)) !== 0).join('');
}

/** Laid out as Linux does it, in multiples of four bytes (tcp_options_write()). */
function optionBytes({ mss, wscale, sackok }: ScenarioPacket): readonly number[] {
  return [
    ...(mss === undefined ? [] : [2, 4, mss >>> 8 & 255, mss & 255]),
    ...(sackok === true ? [1, 1, 4, 2] : []),
    ...(wscale === undefined ? [] : [1, 3, 3, wscale & 255]),
  ];
}

/** What of `mss`, `wscale` and `sackok` the options of a segment say; reading ends at what is no option. */
export function readOptions(options: Uint8Array): Pick<ScenarioPacket, 'mss' | 'wscale' | 'sackok'> {
  const found: { mss?: number; wscale?: number; sackok?: boolean } = {};
  for (let at = 0; at < options.length;) {
    const kind = options[at] ?? 0;
    const length = kind === 1 ? 1 : options[at + 1] ?? 0;
    if (kind === 0 || (kind !== 1 && length < 2) || at + length > options.length) break;
    if (kind === 2 && length === 4) found.mss = ((options[at + 2] ?? 0) << 8) | (options[at + 3] ?? 0);
    if (kind === 3 && length === 3) found.wscale = options[at + 2] ?? 0;
    if (kind === 4 && length === 2) found.sackok = true;
    at += length;
  }
  return found;
}

/** From the TCP header on, its checksum still 0. */
export function tcpBytes(packet: ScenarioPacket): Uint8Array {
  const options = optionBytes(packet);
  const payload = payloadOf(packet);
  const headerLength = 20 + options.length;
  const bytes = new Uint8Array(headerLength + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, packet.sport ?? 0);
  view.setUint16(2, packet.dport ?? 0);
  view.setUint32(4, packet.seq ?? packetDefaults.seq);
  view.setUint32(8, packet.ack ?? 0);
  view.setUint8(12, ((packet.doff ?? headerLength / 4) & 15) << 4);
  view.setUint8(13, flagBits(packet.flags ?? packetDefaults.flags));
  view.setUint16(14, packet.win ?? packetDefaults.win);
  view.setUint16(18, packet.urg ?? 0);
  bytes.set(options, 20);
  bytes.set(payload, headerLength);
  return bytes;
}
