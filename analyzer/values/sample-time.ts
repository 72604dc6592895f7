import { refuse, type Value } from './value.js';

/** Microseconds per unit; without a unit they are microseconds. */
const units: ReadonlyMap<string, number> = new Map([
  ['', 1], ['s', 1e6], ['sec', 1e6], ['secs', 1e6], ['ms', 1e3], ['msec', 1e3], ['msecs', 1e3], ['us', 1], ['usec', 1], ['usecs', 1],
]);

/** As a double is turned into 32 bits: the fraction goes, and what is above. */
function toUnsigned(time: number): number {
  return Math.abs(time) < 2 ** 63 ? Number(BigInt.asUintN(32, BigInt(Math.trunc(time)))) : 0;
}

/** A time in microseconds: `250ms`, `1.5s`, `300000`. Units in any case; the number as `strtod` reads it. */
export const sampleTime: Value<number> = {
  syntax: 'time (as 250ms or 2s)',
  words: 1,
  parse: ([word = '']) => {
    const match = /^[ \t\n\v\f\r]*([+-]?(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?))([a-z]*)$/iu.exec(word);
    const unit = units.get((match?.[2] ?? '').toLowerCase());
    if (match === null || unit === undefined) return refuse(`\`${word}\` is not a time`, 'write a number and s, ms or us');
    const [, number = ''] = match;
    const sign = number.startsWith('-') ? -1 : 1;
    return toUnsigned(sign * Number(number.replace(/^[+-]/u, '')) * unit);
  },
  print: time => `${String(time)}us`,
  arbitrary: fc => fc.oneof(
    fc.constantFrom('250ms', '500ms', '1s', '2.5s', '8SEC', '.25e1secs', '700msec', '1e6'),
    fc.integer({ min: 0, max: 8_000_000 }).map(time => `${String(time)}us`),
    fc.integer({ min: 0, max: 4000 }).map(time => `${String(time)}.0s`),
  ).map(word => [word]),
};
