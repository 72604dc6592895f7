import { scanNumber } from './number.js';
import { refuse, type Value } from './value.js';

const factors: Readonly<Record<string, bigint>> = { k: 1n << 10n, m: 1n << 20n };

/** A number of packets, or of bytes with `k` or `m` behind it; whatever else follows does not count. */
export const hashlimitBurst: Value<bigint> = {
  syntax: 'number[kb|mb|b]',
  words: 1,
  parse: ([word = '']) => {
    const scanned = scanNumber(word);
    if (scanned === undefined || scanned.value === 0n || scanned.value >= 1n << 64n) return refuse(`\`${word}\` is not a burst of 1 or more`);
    if (scanned.rest === '' && scanned.value > 1_000_000n) return refuse('a burst may have at most 1000000 packets', 'a larger one of bytes is written with a unit, as 2mb');
    return BigInt.asUintN(64, scanned.value * (factors[scanned.rest.charAt(0)] ?? 1n));
  },
  print: String,
  arbitrary: fc => fc.tuple(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1_000_000 })), fc.constantFrom('', '', 'b', 'k', 'kb', 'mb', 'm'))
    .map(([count, unit]) => [`${String(count)}${unit}`]),
};
