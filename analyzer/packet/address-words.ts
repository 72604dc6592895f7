/** IPv6 addresses as four words of 32 bits, so that packets can be compared with them without a bigint for each. */
import type { Packet } from './packet.js';

export type AddressWords = readonly [number, number, number, number];

export function addressWords(address: number | bigint): AddressWords {
  const value = BigInt(address);
  const word = (shift: bigint): number => Number((value >> shift) & 0xffff_ffffn);
  return [word(96n), word(64n), word(32n), word(0n)];
}

/** Below, at or above 0 as the address at byte `at` of the packet is below, at or above `words`. */
export function compareAddress(packet: Packet, at: number, words: AddressWords): number {
  for (let index = 0; index < 4; index++) {
    const difference = packet.u32(at + 4 * index) - (words[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether the address at byte `at` has the bits of `words` where `mask` has ones. @see ipv6_masked_addr_cmp() in include/net/ipv6.h */
export function isMaskedAddress(packet: Packet, at: number, words: AddressWords, mask: AddressWords): boolean {
  for (let index = 0; index < 4; index++) if (((packet.u32(at + 4 * index) ^ (words[index] ?? 0)) & (mask[index] ?? 0)) !== 0) return false;
  return true;
}
