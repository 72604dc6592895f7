import { parseInteger } from './number.js';
import { parseProtocol, protocolNames } from './protocol.js';
import { Problem, refuse, type Value } from './value.js';

/** A protocol as XTTYPE_PROTOCOL has it: unlike with `-p` the case of a name counts, and a number beyond 255 is cut to 8 bits. */
export const exactProtocol: Value<number> = {
  syntax: 'protocol',
  words: 1,
  parse: ([word = '']) => {
    const number = parseInteger(word, 0, 255);
    if (number !== undefined) return number;
    if (protocolNames().includes(word)) {
      const known = parseProtocol(word);
      return known instanceof Problem ? known : known & 0xff;
    }
    const other = parseProtocol(word);
    return typeof other === 'number' ? refuse(`\`${word}\` is not a protocol`, `write ${word.toLowerCase()}`) : other;
  },
  print: String,
  arbitrary: fc => fc.oneof(
    fc.constantFrom('tcp', 'udp', 'TCP', 'icmp', 'sctp', 'esp', 'gre', '0', '0x6', '021', '255').map(word => [word]),
    fc.integer({ min: 0, max: 255 }).map(number => [String(number)]),
  ),
};
