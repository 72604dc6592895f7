/** The Internet checksum (RFC 1071), and how it follows a change of what it covers (RFC 1624). */

/** The ones' complement sum of the 16-bit words, folded to 16 bits; an odd last byte is the high one of its word. */
export function sumOf(bytes: Uint8Array, from = 0, to = bytes.length, initial = 0): number {
  let sum = initial;
  for (let at = from; at + 1 < to; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if ((to - from) % 2 === 1) sum += (bytes[to - 1] ?? 0) << 8;
  return fold(sum);
}

/** A sum of 16-bit words, with its carries added in. */
export function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return folded;
}

/** The checksum after a 16-bit word that it covers went from `before` to `after`; a wrong one stays as wrong as it was. */
export function updated(checksum: number, before: number, after: number): number {
  return ~fold((~checksum & 0xffff) + (~before & 0xffff) + after) & 0xffff;
}
