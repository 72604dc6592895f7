import { refuse, type Value } from './value.js';

/** A traffic class, `major:minor`, each of 16 bits. */
export interface ClassId {
  readonly major: number;
  readonly minor: number;
}

/** One number as `scanf("%x")` reads it: too large ones stop at 64 bits, and 16 bits are used. */
function lowBits(sign: string, digits: string): number {
  const value = BigInt(/^0x$/iu.test(digits) ? 0 : `0x${digits.replace(/^0x/iu, '')}`);
  if (value >= 1n << 64n) return 0xffff;
  return Number((sign === '-' ? -value : value) & 0xffffn);
}

/** Two hexadecimal numbers, with or without `0x`; what follows the second is not looked at. */
export const classId: Value<ClassId> = {
  syntax: 'major:minor (hexadecimal)',
  words: 1,
  parse: ([word = '']) => {
    const match = /^\s*([+-]?)(0x[\da-f]*|[\da-f]+):\s*([+-]?)(0x[\da-f]*|[\da-f]+)/iu.exec(word);
    if (match === null) return refuse(`\`${word}\` is not a class: two hexadecimal numbers with a colon between them`);
    const [, majorSign = '', major = '', minorSign = '', minor = ''] = match;
    return { major: lowBits(majorSign, major), minor: lowBits(minorSign, minor) };
  },
  print: ({ major, minor }) => `${major.toString(16).padStart(4, '0')}:${minor.toString(16).padStart(4, '0')}`,
  arbitrary: fc => {
    const number = fc.tuple(fc.constantFrom('', '', '', '+', '-'), fc.constantFrom('', '', '0x', '0X'), fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 0xffff }).map(value => value.toString(16)) },
      { weight: 1, arbitrary: fc.constantFrom('0', 'FFFF', '12345', 'ffffffffffffffff1', '000a') },
    )).map(parts => parts.join(''));
    return fc.tuple(number, number, fc.constantFrom('', '', '', ' ', 'xyz')).map(([major, minor, rest]) => [`${major.replace(/^[-+]/u, sign => sign === '-' ? ' -' : sign)}:${minor}${rest}`]);
  },
};
