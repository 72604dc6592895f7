/** Which of its IPv6 addresses a host uses. */
import { commonPrefix, isLinkLocal6, isMulticast6, scope6 } from './address-kind.js';
import type { Interface, InterfaceAddress, Interfaces } from './interfaces.js';
import { contains } from './prefix.js';

/** @see ip6addrlbl_init_table in net/ipv6/addrlabel.c: longest prefixes first. */
const labels: readonly (readonly [prefix: bigint, length: number, label: number])[] = [
  [1n, 128, 0], [0n, 96, 3], [0xffffn << 32n, 96, 4], [0x2001n << 112n, 32, 6], [0x20010010n << 96n, 28, 7],
  [0x3ffen << 112n, 16, 12], [0x2002n << 112n, 16, 2], [0xfec0n << 112n, 10, 11], [0xfcn << 120n, 7, 5], [0n, 0, 1],
];

function labelOf(address: bigint): number {
  return labels.find(([prefix, length]) => contains({ address: prefix, length }, address, 'ipv6'))?.[2] ?? 1;
}

interface Candidate {
  readonly address: InterfaceAddress;
  readonly device: string;
}

/** By each rule the larger is the better: equal, an appropriate scope, not deprecated, of the interface, of the same label, the longest common prefix. */
function ranks({ address, device }: Candidate, destination: bigint, out: string): readonly number[] {
  const local = address.local as bigint;
  const scope = scope6(local), wanted = scope6(destination);
  return [
    local === destination ? 1 : 0,
    scope >= wanted ? 200 - scope : scope,
    address.isDeprecated ? 0 : 1,
    device === out ? 1 : 0,
    labelOf(local) === labelOf(destination) ? 1 : 0,
    Math.min(commonPrefix(local, destination), address.length),
  ];
}

function isBetter(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((rank, index) => rank !== other[index]);
  return at !== -1 && (one[at] as number) > (other[at] as number);
}

/**
 * The source for a packet to `destination` out of `out`; undefined: there is none.
 * Left out of RFC 6724's rules: home addresses, temporary addresses, ORCHID.
 * @see ipv6_dev_get_saddr() in net/ipv6/addrconf.c
 */
export function selectAddress6(interfaces: Interfaces, out: string, destination: bigint, ownOnly: boolean): bigint | undefined {
  const isNear = isMulticast6(destination) || isLinkLocal6(destination);
  const from: readonly Interface[] = isNear || ownOnly ? interfaces.all.filter(one => one.name === out) : interfaces.all;
  let best: readonly number[] | undefined;
  let chosen: bigint | undefined;
  for (const one of from) {
    if (!one.isUp) continue;
    for (const address of one.ipv6) {
      if (address.isTentative) continue;
      const rank = ranks({ address, device: one.name }, destination, out);
      if (best !== undefined && !isBetter(rank, best)) continue;
      best = rank;
      chosen = address.local as bigint;
    }
  }
  return chosen;
}
