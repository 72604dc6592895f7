import { leadingNumber } from './packet-rate.js';
import { refuse, type Value } from './value.js';

/** Seconds as `atoi` reads them: what follows the digits does not count. */
export const rateInterval: Value<number> = {
  syntax: 'seconds',
  words: 1,
  parse: ([word = '']) => {
    const seconds = Number(BigInt.asIntN(32, leadingNumber(word, 32)));
    return seconds > 0 ? seconds : refuse(`\`${word}\` is not a number of seconds, 1 or more`);
  },
  print: String,
  arbitrary: fc => fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom('', '', 's', ' sec')).map(([seconds, unit]) => [`${String(seconds)}${unit}`]),
};
