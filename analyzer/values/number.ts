import { refuse, type Problem, type Value } from './value.js';

/**
 * A number as `xtables_strtoul` reads it: `strtoul` with base 0, so `0x1f` and `017` are
 * hexadecimal and octal, white space and `+` may lead, `-` may not.
 * Returns the number and the rest of the word, or undefined where there is no number.
 */
export function scanNumber(text: string): { readonly value: bigint; readonly rest: string } | undefined {
  const match = /^[ \t\n\v\f\r]*\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/u.exec(text);
  const digits = match?.[1];
  if (match === null || digits === undefined) return undefined;
  const octal = digits.length > 1 && digits.startsWith('0') && !/^0[xX]/u.test(digits);
  return { value: BigInt(octal ? `0o${digits.slice(1)}` : digits), rest: text.slice(match[0].length) };
}

/** A whole word as a number of `low` … `high`, or undefined. */
export function parseInteger(text: string, low: number, high: number): number | undefined {
  const code = text.charCodeAt(0);
  // The usual case, fast: plain decimal.
  if (text.length < 10 && code >= 49 && code <= 57) {
    let value = 0;
    for (let i = 0; i < text.length; i++) {
      const digit = text.charCodeAt(i) - 48;
      if (digit < 0 || digit > 9) return undefined;
      value = value * 10 + digit;
    }
    return value >= low && value <= high ? value : undefined;
  }
  const scanned = scanNumber(text);
  if (scanned?.rest !== '') return undefined;
  return scanned.value >= BigInt(low) && scanned.value <= BigInt(high) ? Number(scanned.value) : undefined;
}

/** An integer of `low` … `high` (both at most 2^53), saved in decimal or, with `hex`, as 0x…. */
export function integer(low: number, high: number, how: { readonly hex?: boolean; readonly name?: string } = {}): Value<number> {
  const print = (value: number): string => how.hex === true ? `0x${value.toString(16)}` : String(value);
  return {
    syntax: how.name ?? 'number',
    words: 1,
    parse: ([word = '']): number | Problem => parseInteger(word, low, high)
      ?? refuse(`\`${word}\` is not a number of ${String(low)} to ${String(high)}`),
    print,
    arbitrary: fc => fc.tuple(
      fc.oneof(fc.integer({ min: low, max: high }), fc.constantFrom(low, high)),
      fc.constantFrom('decimal', 'hex', 'octal'),
    ).map(([value, base]) => [base === 'hex' ? `0x${value.toString(16)}` : base === 'octal' ? `0${value.toString(8)}` : String(value)]),
  };
}
