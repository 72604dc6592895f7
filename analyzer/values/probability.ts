import { scanFloat } from './c-float.js';
import { refuse, type Value } from './value.js';

/** What is certain: the kernel compares 31 random bits with the probability. */
export const certain = 0x8000_0000;

/** A number of 0 to 1, kept as that many of 2^31, which is why 0.3 is saved as 0.29999999981. */
export const probability: Value<number> = {
  syntax: 'probability (0 to 1)',
  words: 1,
  parse: ([word = '']) => {
    const scanned = scanFloat(word);
    if (scanned?.rest !== '' || scanned.value < 0 || scanned.value > 1) return refuse(`\`${word}\` is not a number of 0 to 1`);
    return Number.isNaN(scanned.value) ? 0 : Math.round(certain * scanned.value);
  },
  print: value => (value / certain).toFixed(11),
  arbitrary: fc => fc.oneof(
    fc.constantFrom('0', '1', '0.5', '.25', '1e-3', '0x.8', '1.', '+0.3', '-0', '0.00000000023283064365386962890625', '0x1p-32', '0x1.8p-31').map(word => [word]),
    fc.double({ min: 0, max: 1, noNaN: true }).map(value => [String(value)]),
    fc.integer({ min: 0, max: 100 }).map(value => [(value / 100).toFixed(2)]),
  ),
};
