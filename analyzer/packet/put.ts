/** Numbers written into bytes, big endian, as the network wants them. */

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function put32(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, value >>> 16);
  put16(bytes, at + 2, value);
}

/** An address: 4 bytes of a number, 16 of a bigint. */
export function putAddress(bytes: Uint8Array, at: number, address: number | bigint): void {
  if (typeof address === 'number') {
    put32(bytes, at, address);
    return;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 16);
  view.setBigUint64(0, address >> 64n);
  view.setBigUint64(8, address);
}
