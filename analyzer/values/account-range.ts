import { accounts } from './accounts.js';
import { scanNumber } from './number.js';
import { refuse, unresolved, type Value } from './value.js';

/** User or group numbers, inclusive at both ends. */
export interface AccountRange {
  readonly low: number;
  readonly high: number;
}

/** −1 is no user, and so the last number is one less than the width allows. */
const max = 0xffff_fffe;

function parseNumbers(word: string): AccountRange | undefined {
  const low = scanNumber(word);
  if (low === undefined || low.value > BigInt(max)) return undefined;
  if (low.rest === '') return { low: Number(low.value), high: Number(low.value) };
  const high = /^[-:]/u.test(low.rest) ? scanNumber(low.rest.slice(1)) : undefined;
  if (high?.rest !== '' || high.value > BigInt(max)) return undefined;
  return { low: Number(low.value), high: Number(high.value) };
}

/** A name, a number, or `number-number` (`owner_parse_range`, libxt_owner.c; `owner_check`, xt_owner.c). Saved as numbers. */
export function accountRange(kind: 'user' | 'group'): Value<AccountRange> {
  return {
    syntax: `${kind}|number[-number]`,
    words: 1,
    parse: ([word = '']) => {
      const known = accounts[kind].get(word);
      if (known !== undefined) return { low: known, high: known };
      const range = parseNumbers(word);
      if (range === undefined) return /^[a-z_][\w.@-]*\$?$/iu.test(word) ? unresolved(word, kind) : refuse(`\`${word}\` is neither a ${kind} name nor a number of 0 to ${String(max)} nor a range of them`);
      if (range.low > range.high) return refuse(`the range ${word} is upside down`, `write ${String(range.high)}-${String(range.low)}`);
      return range;
    },
    print: ({ low, high }) => low === high ? String(low) : `${String(low)}-${String(high)}`,
    arbitrary: fc => {
      const number = fc.oneof(fc.constantFrom(0, 1, 33, 1000, 65_534, max), fc.integer({ min: 0, max }));
      const spell = (value: number, base: string): string => base === 'hex' ? `0x${value.toString(16)}` : base === 'octal' ? `0${value.toString(8)}` : String(value);
      const base = fc.constantFrom('decimal', 'decimal', 'hex', 'octal');
      return fc.oneof(
        fc.constantFrom(...accounts[kind].keys()).map(name => [name]),
        fc.tuple(number, base).map(([value, how]) => [spell(value, how)]),
        fc.tuple(number, number, base, base, fc.constantFrom('-', ':')).map(([a, b, how, other, separator]) => [`${spell(Math.min(a, b), how)}${separator}${spell(Math.max(a, b), other)}`]),
      );
    },
  };
}
