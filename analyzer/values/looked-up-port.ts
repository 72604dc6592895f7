import { type PortRange, portWord } from './port.js';
import { printRange } from './number-range.js';
import { services } from './services.js';
import { refuse, unresolved, type Problem, type Value } from './value.js';

/**
 * A port as `getaddrinfo` reads it: decimal only (010 is ten), numbers above 65535 wrap around,
 * and names are looked up for every protocol, TCP first (`ssh` will do for UDP).
 */
function lookUpPort(word: string): number | Problem {
  const digits = /^[ \t\n\v\f\r]*([+-]?\d+)$/u.exec(word)?.[1];
  if (digits !== undefined) {
    const number = BigInt.asIntN(32, BigInt(digits.replace(/^\+/u, '')));
    return number < 0n ? refuse(`\`${word}\` is not a port (0 to 65535)`) : Number(number & 0xffffn);
  }
  for (const protocol of ['tcp', 'udp', 'dccp', 'sctp']) {
    const port = services.get(`${word}/${protocol}`);
    if (port !== undefined) return port;
  }
  if (/^0x[\da-f]+$/iu.test(word)) return refuse(`\`${word}\` is not a port: here ports are written in decimal`, `write ${String(Number(word))}`);
  return /^[a-z][\w.+*/-]*$/iu.test(word) ? unresolved(word, 'service') : refuse(`\`${word}\` is neither a port nor a service name`);
}

/**
 * `port[:port]`, either side may be empty, and an empty word is port 0.
 * A range that is upside down is taken, and no port lies in it.
 * @see xtopt_parse_mport() in libxtables/xtoptions.c
 */
export const lookedUpPortRange: Value<PortRange> = {
  syntax: 'port[:port]',
  words: 1,
  parse: ([word = '']) => {
    const sides = word.split(':');
    if (sides.length > 2) return refuse(`\`${word}\` has more than two parts`);
    const low = sides[0] === '' || sides[0] === undefined ? 0 : lookUpPort(sides[0]);
    if (typeof low !== 'number') return low;
    if (sides[1] === undefined) return { low, high: low };
    const high = sides[1] === '' ? 65_535 : lookUpPort(sides[1]);
    return typeof high === 'number' ? { low, high } : high;
  },
  print: printRange,
  arbitrary: fc => {
    const port = fc.oneof({ weight: 8, arbitrary: portWord(fc).map(String) }, { weight: 1, arbitrary: fc.constantFrom('ssh', 'domain', 'tftp', 'http', '010', '65536', '70000', '+53', '007') });
    return fc.tuple(port, port, fc.constantFrom('one', 'one', 'range', 'range', 'from', 'to', 'empty')).map(([a, b, form]) => {
      const forms: Record<typeof form, string> = { one: a, range: `${a}:${b}`, from: `${a}:`, to: `:${b}`, empty: '' };
      return [forms[form]];
    });
  },
};
