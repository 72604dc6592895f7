import { scanNumber } from './number.js';
import { refuse, type Value } from './value.js';

const max = (1n << 64n) - 1n;

/** A number of 64 bits in any base, saved in decimal. */
export const unsigned64: Value<bigint> = {
  syntax: 'number',
  words: 1,
  parse: ([word = '']) => {
    const scanned = scanNumber(word);
    return scanned?.rest === '' && scanned.value <= max ? scanned.value : refuse(`\`${word}\` is not a number of 0 to ${String(max)}`);
  },
  print: String,
  arbitrary: fc => fc.tuple(fc.oneof(fc.bigInt(0n, max), fc.constantFrom(0n, 1n, max), fc.bigInt(0n, 100_000n)), fc.constantFrom(10, 16, 8))
    .map(([value, base]) => [base === 16 ? `0x${value.toString(16)}` : base === 8 ? `0${value.toString(8)}` : String(value)]),
};
