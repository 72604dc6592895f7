import { parseInteger } from './number.js';
import { refuse, type Value } from './value.js';

/** A zone of connection tracking: its number, or the mark of each packet. */
export const conntrackZone: Value<number | 'mark'> = {
  syntax: 'number|mark',
  words: 1,
  parse: ([word = '']) => word.toLowerCase() === 'mark' ? 'mark'
    : parseInteger(word, 0, 65_535) ?? refuse(`\`${word}\` is neither a zone (0 to 65535) nor \`mark\``),
  print: String,
  arbitrary: fc => fc.oneof(fc.constantFrom('mark', 'MARK', '0', '0x10', '017', '65535'), fc.integer({ min: 0, max: 65_535 }).map(String)).map(word => [word]),
};
