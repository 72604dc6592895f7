/** CRC-32C (Castagnoli), SCTP's checksum (RFC 9260, appendix A). */

/** The polynomial 0x1edc6f41, its bits reversed. */
const polynomial = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ polynomial;
  return value;
});

/** Of the bytes from `from` on, the four at `zeroed` counting as zero. */
export function crc32c(bytes: Uint8Array, from: number, zeroed: number): number {
  let crc = 0xffff_ffff;
  for (let at = from; at < bytes.length; at++) {
    const byte = at >= zeroed && at < zeroed + 4 ? 0 : bytes[at] ?? 0;
    crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
