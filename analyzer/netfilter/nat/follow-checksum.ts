import { fold } from '../../packet/checksum.js';
import { put16 } from '../../packet/put.js';

/**
 * Corrects the Internet checksum at byte `at` after the sum of the 16-bit words that it covers has grown by `grows`
 * (ones' complement, not negative). It comes out as 0 and never as 0xffff, as from the kernel's arithmetic.
 * @see csum_replace4() in include/net/checksum.h
 */
export function followChecksum(bytes: Uint8Array, at: number, grows: number): void {
  const before = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  const sum = fold((~before & 0xffff) + grows);
  put16(bytes, at, sum === 0 ? 0 : ~sum & 0xffff);
}
