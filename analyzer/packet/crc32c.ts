/** CRC32c (RFC 3309), the checksum of SCTP. */

const polynomial = 0x82f6_3b78;

/** Made when first needed. */
let table: Uint32Array | undefined;

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    return value;
  });
}

/** The CRC of `bytes` from `from` on, those four at `zeroed` counting as 0; 32 bits unsigned. SCTP writes it with its low byte first. */
export function crc32c(bytes: Uint8Array, from = 0, zeroed = bytes.length): number {
  const remainders = table ??= makeTable();
  let crc = 0xffff_ffff;
  for (let at = from; at < bytes.length; at++) {
    const byte = at >= zeroed && at < zeroed + 4 ? 0 : bytes[at] ?? 0;
    crc = (remainders[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
