import { scanNumber } from './number.js';
import { refuse, type Value } from './value.js';

/** Inclusive at both ends; nothing keeps `low` from being above `high`, and then it is empty. */
export interface NumberRange {
  readonly low: number;
  readonly high: number;
}

/** Whether every number of 0 … `max` lies in it. */
export function isFullRange({ low, high }: NumberRange, max: number): boolean {
  return low === 0 && high === max;
}

/** `low:high`, or one number where both are the same. */
export function printRange({ low, high }: NumberRange): string {
  return low === high ? String(low) : `${String(low)}:${String(high)}`;
}

/**
 * `number[:number]` of 0 … `max` in any base; an empty side is the end of the range, and an empty word is 0.
 * A range that is upside down is taken unless `rising` is asked for.
 * @see xtopt_parse_mint() in libxtables/xtoptions.c
 */
export function numberRange(max: number, how: { readonly name?: string; readonly rising?: boolean } = {}): Value<NumberRange> {
  const name = how.name ?? 'number';
  const parseSide = (text: string, empty: number): number | undefined => {
    if (text === '') return empty;
    const scanned = scanNumber(text);
    return scanned?.rest === '' && scanned.value <= BigInt(max) ? Number(scanned.value) : undefined;
  };
  return {
    syntax: `${name}[:${name}]`,
    words: 1,
    parse: ([word = '']) => {
      const sides = word.split(':');
      if (sides.length > 2) return refuse(`\`${word}\` has more than two parts`);
      const low = parseSide(sides[0] ?? '', 0);
      const high = sides[1] === undefined ? low : parseSide(sides[1], max);
      if (low === undefined || high === undefined) return refuse(`\`${low === undefined ? sides[0] ?? '' : sides[1] ?? ''}\` is not a number of 0 to ${String(max)}`);
      if (how.rising === true && low > high) return refuse(`the range ${word} is upside down`, `write ${String(high)}:${String(low)}`);
      return { low, high };
    },
    print: printRange,
    arbitrary: fc => {
      const number = fc.oneof(fc.constantFrom(0, 1, max - 1, max), fc.integer({ min: 0, max }), fc.integer({ min: 0, max: Math.min(max, 300) }));
      const base = fc.constantFrom('', '', '0x', '0');
      return fc.tuple(number, number, base, fc.constantFrom('one', 'one', 'range', 'range', 'from', 'to', 'all', 'empty')).map(([a, b, prefix, form]) => {
        const write = (n: number): string => prefix === '' ? String(n) : `${prefix}${n.toString(prefix === '0' ? 8 : 16)}`;
        const [low, high] = how.rising === true && a > b ? [b, a] : [a, b];
        const forms: Record<typeof form, string> = {
          one: write(a), range: `${write(low)}:${write(high)}`, from: `${write(a)}:`, to: `:${write(a)}`, all: ':', empty: '',
        };
        return [forms[form]];
      });
    },
  };
}
