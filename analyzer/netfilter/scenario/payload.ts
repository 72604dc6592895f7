/** The part of a packet that no header describes. */
import type { ScenarioPacket } from '../scenario.js';
import { ScenarioError } from './scenario-error.js';

/** More than an IP packet can carry. */
const longest = 65535;

/** @throws {ScenarioError} where `hex` is not pairs of hexadecimal digits; blanks and colons between them do not count */
export function bytesOfHex(hex: string): Uint8Array {
  const digits = hex.replace(/[\s:]/gu, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/iu.test(digits)) throw new ScenarioError(`\`${hex.length > 40 ? `${hex.slice(0, 40)}…` : hex}\` is not bytes in hexadecimal`);
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) => parseInt(digits.slice(2 * index, 2 * index + 2), 16));
}

export function hexOf(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}

/** `payload_hex`, else `payload` as UTF-8, else `payload_len` zero bytes, else nothing. */
export function payloadOf({ payload, payload_hex: hex, payload_len: length = 0 }: ScenarioPacket): Uint8Array {
  if (hex !== undefined) return bytesOfHex(hex);
  if (payload !== undefined) return new TextEncoder().encode(payload);
  if (!Number.isInteger(length) || length < 0 || length > longest) throw new ScenarioError(`a packet cannot carry ${String(length)} bytes of payload`);
  return new Uint8Array(length);
}
