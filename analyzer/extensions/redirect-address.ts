/** Where REDIRECT sends packets: to the host itself, on the interface by which they came. */
import type { Traversal } from '../packet/traversal.js';

/** What REDIRECT writes in OUTPUT. */
export const loopback = { ipv4: 0x7f00_0001, ipv6: 1n } as const;

type Scope = 'loopback' | 'link' | 'site' | 'global';

const multicastScopes: Readonly<Record<number, Scope>> = { 1: 'loopback', 2: 'link', 5: 'site' };

/** @see ipv6_addr_scope() in include/net/ipv6.h */
function scopeOf(address: bigint): Scope {
  if (address >> 120n === 0xffn) return multicastScopes[Number((address >> 112n) & 15n)] ?? 'global';
  if (address >> 118n === 0xfe80n >> 6n) return 'link';
  if (address >> 118n === 0xfec0n >> 6n) return 'site';
  return address === loopback.ipv6 ? 'loopback' : 'global';
}

/** Towards a link-local destination only a link-local address will do; towards a global one any but a mapped one. @see nf_nat_redirect_ipv6_usable() */
function isUsable(address: bigint, destination: Scope): boolean {
  return address >> 32n !== 0xffffn && (destination === 'global' || scopeOf(address) === destination);
}

/**
 * The address for a packet in PREROUTING or OUTPUT: the first of its interface, not the one that its destination's network has;
 * that of loopback where a local process sent it. Undefined: the interface has none.
 * @see nf_nat_redirect_ipv4(), nf_nat_redirect_ipv6() in net/netfilter/nf_nat_redirect.c
 */
export function redirectAddress({ packet, hook, world }: Traversal): number | bigint | undefined {
  if (hook === 'OUTPUT') return loopback[packet.family];
  const { dst } = packet;
  const addresses = world.interfaceAddresses?.(packet.in);
  if (addresses === undefined) return world.sourceAddress(packet.in, dst);
  if (typeof dst === 'number') return addresses[0];
  const scope = scopeOf(dst);
  return addresses.find(address => typeof address === 'bigint' && isUsable(address, scope));
}
