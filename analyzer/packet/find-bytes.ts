/** Search for bytes in packets. */

/** What `toupper` of the kernel makes of each byte, which takes them for Latin-1. @see _ctype in lib/ctype.c */
const upper: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isLower = (byte >= 0x61 && byte <= 0x7a) || (byte >= 0xdf && byte !== 0xf7);
  return isLower ? byte - 32 : byte;
});

export function upperCase(bytes: Uint8Array): Uint8Array {
  return bytes.map(byte => upper[byte] ?? byte);
}

function isAt(bytes: Uint8Array, at: number, pattern: Uint8Array): boolean {
  for (let index = 1; index < pattern.length; index++) if (bytes[at + index] !== pattern[index]) return false;
  return true;
}

/** Whether `pattern`, which is not empty, lies whole between `from` and `to`. @see skb_find_text() in net/core/skbuff.c */
export function hasBytes(bytes: Uint8Array, pattern: Uint8Array, from: number, to: number): boolean {
  const last = Math.min(to, bytes.length) - pattern.length;
  const first = pattern[0] ?? 0;
  for (let at = from; at <= last; at++) {
    at = bytes.indexOf(first, at);
    if (at === -1 || at > last) return false;
    if (isAt(bytes, at, pattern)) return true;
  }
  return false;
}

/** The same where case does not matter; `pattern` is in upper case. */
export function hasBytesInAnyCase(bytes: Uint8Array, pattern: Uint8Array, from: number, to: number): boolean {
  const last = Math.min(to, bytes.length) - pattern.length;
  for (let at = from; at <= last; at++) {
    let length = 0;
    while (length < pattern.length && upper[bytes[at + length] ?? 0] === pattern[length]) length++;
    if (length === pattern.length) return true;
  }
  return false;
}
