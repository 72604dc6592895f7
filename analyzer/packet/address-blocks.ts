/** Blocks of addresses that are not the internet's. */
import type { Address } from '../values/address.js';
import type { Family } from '../values/value.js';
import type { Range } from './constraint.js';

const block = (a: number, b: number, length: number): Range => {
  const low = (a * 256 + b) * 65_536;
  return { low, high: low + 2 ** (32 - length) - 1 };
};

/** Private and shared networks, link-local addresses. RFC 1918, RFC 6598, RFC 3927 */
const privateIpv4: readonly Range[] = [block(10, 0, 8), block(100, 64, 10), block(169, 254, 16), block(172, 16, 12), block(192, 168, 16)];
/** Nobody's, this host's, groups and what is reserved. RFC 6890 */
const otherIpv4: readonly Range[] = [block(0, 0, 8), block(127, 0, 8), block(224, 0, 3)];
/** Unique local and link-local addresses. RFC 4193, RFC 4291 */
const privateIpv6: readonly Range[] = [{ low: 0xfcn << 120n, high: (0xfen << 120n) - 1n }, { low: 0xfe80n << 112n, high: (0xfec0n << 112n) - 1n }];
/** All global unicast addresses. RFC 4291, section 2.4 */
const globalIpv6: Range = { low: 0x2000n << 112n, high: (0x4000n << 112n) - 1n };

/** Networks that no router of the internet knows, and that are somebody's: a company's, a household's. */
export const privateRanges: Readonly<Record<Family, readonly Range[]>> = { ipv4: privateIpv4, ipv6: privateIpv6 };

/** What the internet's own addresses are: unicast, and neither private nor reserved. */
export const publicRanges: Readonly<Record<Family, readonly Range[]>> = {
  ipv4: between([...privateIpv4, ...otherIpv4].sort((x, y) => Number(x.low) - Number(y.low))),
  ipv6: [globalIpv6],
};

function between(taken: readonly Range[]): Range[] {
  return taken.flatMap(({ high }, i) => {
    const [low, next] = [Number(high) + 1, taken[i + 1]];
    return next === undefined || low >= Number(next.low) ? [] : [{ low, high: Number(next.low) - 1 }];
  });
}

/** Whether an address is of a private network. */
export function isPrivate(address: Address): boolean {
  return privateRanges[typeof address === 'number' ? 'ipv4' : 'ipv6'].some(({ low, high }) => low <= address && address <= high);
}
