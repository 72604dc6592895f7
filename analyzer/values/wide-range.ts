import { scanNumber } from './number.js';
import { Problem, refuse, type Value } from './value.js';

/** Inclusive at both ends. `low` may be above `high` where the extension does not mind. */
export interface WideRange {
  readonly low: bigint;
  readonly high: bigint;
}

/**
 * `low[:high]` of numbers up to `max`, either of which may be empty, as `xtopt_parse_mint`
 * (libxtables/xtoptions.c) has it. A single number stands for everything from there on.
 */
export function wideRange(max: bigint): Value<WideRange> {
  const side = (word: string, absent: bigint): bigint | Problem => {
    if (word === '') return absent;
    const scanned = scanNumber(word);
    return scanned?.rest === '' && scanned.value <= max ? scanned.value : refuse(`\`${word}\` is not a number of 0 to ${String(max)}`);
  };
  return {
    syntax: 'number[:number]',
    words: 1,
    parse: ([word = '']) => {
      const [first = '', second, ...more] = word.split(':');
      if (more.length > 0) return refuse(`\`${word}\` has more than two numbers`);
      const low = side(first, 0n);
      if (low instanceof Problem) return low;
      const high = side(second ?? '', max);
      return high instanceof Problem ? high : { low, high };
    },
    print: ({ low, high }) => low === high ? String(low) : `${String(low)}:${String(high)}`,
    arbitrary: fc => {
      const number = fc.tuple(fc.oneof(fc.bigInt(0n, 100n), fc.bigInt(0n, max), fc.constantFrom(0n, max)), fc.constantFrom(10, 10, 16, 8));
      const spell = ([value, base]: readonly [bigint, number]): string => base === 16 ? `0x${value.toString(16)}` : base === 8 ? `0${value.toString(8)}` : String(value);
      return fc.tuple(number, number, fc.constantFrom('one', 'range', 'from', 'to', 'all')).map(([a, b, form]) => {
        const [low, high] = a[0] <= b[0] ? [a, b] : [b, a];
        if (form === 'one') return [spell(a)];
        if (form === 'from') return [`${spell(a)}:`];
        if (form === 'to') return [`:${spell(a)}`];
        return [form === 'all' ? ':' : `${spell(low)}:${spell(high)}`];
      });
    },
  };
}
