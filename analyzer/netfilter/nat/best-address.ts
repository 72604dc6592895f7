/** Which address of a range a connection gets. Not chance: the kernel hashes the addresses without a secret. */
import { addressWords } from '../../packet/address-words.js';
import type { Tuple } from '../../packet/connection.js';
import type { NatRange } from '../../packet/traversal.js';
import { jhash, littleEndian, scaled } from '../../packet/jhash.js';

/** The address in words of 32 bits, the first one first. */
function wordsOf(address: number | bigint): readonly number[] {
  return typeof address === 'number' ? [address] : addressWords(address);
}

function addressOf(words: readonly number[]): number | bigint {
  if (words.length === 1) return words[0] ?? 0;
  return words.reduce((address, word) => (address << 32n) | BigInt(word), 0n);
}

/** `jhash2()` over the union that holds addresses of both families: in IPv4 three empty words follow. */
function hashOf(tuple: Tuple, persistent: boolean, zone: number): number {
  const source = wordsOf(tuple.src).map(littleEndian);
  const destination = littleEndian(wordsOf(tuple.dst).at(-1) ?? 0);
  return jhash([...source, 0, 0, 0].slice(0, 4), persistent ? 0 : (destination ^ zone) >>> 0);
}

/**
 * The address of the range for a connection that now has this tuple. The same two hosts always get the same one, and with
 * `persistent` the same client does.
 * @see find_best_ips_proto() in net/netfilter/nf_nat_core.c
 */
export function bestAddress(tuple: Tuple, range: NatRange, lowest: number | bigint, highest: number | bigint, zone: number): number | bigint {
  if (lowest === highest) return lowest;
  const persistent = range.persistent === true;
  const low = wordsOf(lowest), high = wordsOf(highest);
  const destination = wordsOf(tuple.dst);
  const chosen: number[] = [];
  let hash = hashOf(tuple, persistent, zone);
  // Below the upper end in one word: in all that follow any value will do.
  let isFree = false;
  for (const [index, top] of high.entries()) {
    const bottom = isFree ? 0 : low[index] ?? 0;
    const count = isFree ? 0xffff_ffff : (top - bottom + 1) >>> 0;
    const word = (bottom + scaled(hash, count)) >>> 0;
    chosen.push(word);
    if (word !== top) isFree = true;
    if (!persistent) hash = (hash ^ littleEndian(range.side === 'destination' ? word : destination[index] ?? 0)) >>> 0;
  }
  return addressOf(chosen);
}
