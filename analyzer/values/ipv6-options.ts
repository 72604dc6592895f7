import { refuse, type Problem, type Value } from './value.js';

/** An option of a hop-by-hop or destination header; without `length` any will do. */
export interface Ipv6Option {
  readonly type: number;
  readonly length: number | undefined;
}

/** As many as a list may have (IP6T_OPTS_OPTSNR). */
const mostOptions = 16;

/** A number as plain `strtoul` reads it, minus sign and all; the lowest eight bits are what remains. */
function parseByte(text: string): number | undefined {
  const match = /^[ \t\n\v\f\r]*([+-]?)(0x[\da-f]+|0[0-7]*|[1-9]\d*)$/iu.exec(text);
  const digits = match?.[2];
  if (match === null || digits === undefined) return undefined;
  const value = BigInt(/^0[0-7]+$/u.test(digits) ? `0o${digits.slice(1)}` : digits);
  return value >= 1n << 64n ? undefined : Number(BigInt.asUintN(8, match[1] === '-' ? -value : value));
}

function parseOption(part: string, isLast: boolean): Ipv6Option | Problem {
  const colon = part.indexOf(':');
  if (colon !== -1 && isLast) return refuse(`too many options: the ${String(mostOptions)}th may not have a length`);
  const type = parseByte(colon === -1 ? part : part.slice(0, colon));
  if (type === undefined) return refuse(`\`${part}\` does not begin with the number of an option`);
  if (colon === -1) return { type, length: undefined };
  if (type === 0) return refuse('option 0 (padding of one byte) has no length');
  const length = parseByte(part.slice(colon + 1));
  if (length === undefined) return refuse(`\`${part.slice(colon + 1)}\` is not a length`);
  // 255 is how "any length" is stored.
  return { type, length: length === 255 ? undefined : length };
}

/** `type[:length],…` (`parse_options`, libip6t_hbh.c). */
export const ipv6Options: Value<readonly Ipv6Option[]> = {
  syntax: 'type[:length],… (at most 16)',
  words: 1,
  parse: ([word = '']) => {
    const parts = word.split(',');
    const options: Ipv6Option[] = [];
    for (const part of parts) {
      if (options.length === mostOptions) return refuse(`too many options: a list holds at most ${String(mostOptions)}`);
      const option = parseOption(part, options.length === mostOptions - 1);
      if (!('type' in option)) return option;
      options.push(option);
    }
    return options;
  },
  print: options => options.map(({ type, length }) => length === undefined ? String(type) : `${String(type)}:${String(length)}`).join(','),
  arbitrary: fc => {
    const byte = fc.integer({ min: 0, max: 255 });
    const written = fc.tuple(fc.oneof(byte, fc.integer({ min: -3, max: 600 })), fc.boolean()).map(([n, inHex]) => inHex && n >= 0 ? `0x${n.toString(16)}` : String(n));
    const one = fc.tuple(written, written, fc.boolean()).map(([type, length, long]) => long && parseByte(type) !== 0 ? `${type}:${length}` : type)
      .filter(word => !word.startsWith('-'));
    return fc.array(one, { minLength: 1, maxLength: 15 }).map(list => [list.join(',')]);
  },
};
