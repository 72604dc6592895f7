/** What an address is by its own bits, before any routing table is asked. */

/** 224.0.0.0/4 */
export const isMulticast4 = (address: number): boolean => address >>> 28 === 14;
/** 224.0.0.0/24 */
export const isLocalMulticast4 = (address: number): boolean => address >>> 8 === 0xe00000;
export const isLimitedBroadcast = (address: number): boolean => address === 0xffff_ffff;
/** 0.0.0.0 alone, not all of 0.0.0.0/8 (ipv4_is_zeronet()). */
export const isZeroNet = (address: number): boolean => address === 0;
/** 127.0.0.0/8 */
export const isLoopback4 = (address: number): boolean => address >>> 24 === 127;

const top = (address: bigint): number => Number(address >> 112n);

/** ff00::/8 */
export const isMulticast6 = (address: bigint): boolean => top(address) >>> 8 === 0xff;
/** fe80::/10 */
export const isLinkLocal6 = (address: bigint): boolean => (top(address) & 0xffc0) === 0xfe80;
/** fec0::/10 */
const isSiteLocal6 = (address: bigint): boolean => (top(address) & 0xffc0) === 0xfec0;
export const isLoopback6 = (address: bigint): boolean => address === 1n;
/** ::ffff:0:0/96 */
export const isMapped4 = (address: bigint): boolean => address >> 32n === 0xffffn;
/** The scope field of a multicast address: 1 interface, 2 link, 5 site, 14 global. */
export const multicastScope = (address: bigint): number => top(address) & 15;

/** @see rt6_need_strict() in net/ipv6/route.c: addresses that mean something on one interface only. */
export const isBoundToInterface = (address: bigint): boolean => isMulticast6(address) || isLinkLocal6(address) || isLoopback6(address);

/** Scopes of IPv6 in the order of RFC 6724: the larger, the wider. */
export function scope6(address: bigint): number {
  if (isMulticast6(address)) return multicastScope(address);
  if (isLoopback6(address)) return 1;
  if (isLinkLocal6(address)) return 2;
  return isSiteLocal6(address) ? 5 : 14;
}

/** ff02::1:ffXX:XXXX, which every owner of the address listens to. */
export function solicitedNode(address: bigint): bigint {
  return (0xff02n << 112n) | 0x1_ff00_0000n | (address & 0xff_ffffn);
}

/** A link-local address whose owner listens to this group, which is that of a solicited node; undefined where it is none. */
export function listenerOf(group: bigint): bigint | undefined {
  return solicitedNode(group) === group ? (0xfe80n << 112n) | (group & 0xff_ffffn) : undefined;
}

/** How many bits from the front are the same, at most 128. */
export function commonPrefix(one: bigint, other: bigint): number {
  const difference = one ^ other;
  return difference === 0n ? 128 : 128 - difference.toString(2).length;
}

/** fe80::/64 with the modified EUI-64 of the MAC (addrconf_ifid_eui48()). */
export function linkLocalOf(mac: Uint8Array): bigint {
  const id = [(mac[0] ?? 0) ^ 2, mac[1] ?? 0, mac[2] ?? 0, 0xff, 0xfe, mac[3] ?? 0, mac[4] ?? 0, mac[5] ?? 0];
  return (0xfe80n << 112n) | id.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
