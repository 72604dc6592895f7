/** Which of several next hops is taken. */
import type { Address } from '../../values/address.js';
import type { NextHop, Route } from './route.js';

const mix = (value: number): number => {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};

const low = (address: Address): number => typeof address === 'number' ? address : Number((address ^ (address >> 64n)) & 0xffff_ffffn);

/** The kernel hashes both addresses with a secret of its own: so do we, with the seed. 31 bits. */
function hashOf(source: Address, destination: Address, seed: number): number {
  return mix(mix(mix(seed >>> 0) ^ low(source)) ^ low(destination)) >>> 1;
}

export const multipathChance = 'which of several next hops a pair of addresses takes';

/**
 * @see fib_select_multipath() in net/ipv4/fib_semantics.c: hops share the hash by weight; of a local packet that has its source, the hop
 * whose own address that is goes first.
 * @param addressOf the source that a local packet by this hop would take; absent for forwarded ones
 */
export function selectHop(route: Route, source: Address, destination: Address, seed: number, addressOf?: (hop: NextHop) => Address): NextHop {
  const first = route.nextHops[0] as NextHop;
  if (route.nextHops.length === 1) return first;
  const total = route.nextHops.reduce((sum, hop) => sum + hop.weight, 0);
  const hash = hashOf(source, destination, seed);
  let [best, bestScore, weight] = [first, -1, 0];
  for (const hop of route.nextHops) {
    weight += hop.weight;
    const isBelow = hash <= Math.round(weight * 2 ** 31 / total) - 1;
    const score = (isBelow ? 1 : 0) + (addressOf?.(hop) === source ? 2 : 0);
    if (score > bestScore) [best, bestScore] = [hop, score];
  }
  return best;
}
