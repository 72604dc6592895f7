import { portWord, servicePort } from './port.js';
import { refuse, unresolved, type Value } from './value.js';

/** As `getaddrinfo` reads a service: decimal only, cut to 16 bits, nothing at all being 0; or a service name. */
export const getaddrinfoPort: Value<number> = {
  syntax: 'port',
  words: 1,
  parse: ([word = '']) => {
    if (word === '') return 0;
    if (/^[ \t\n\v\f\r]*\+?\d+$/u.test(word)) {
      // It goes through an int, whose lower half is the port.
      const number = BigInt(word.trimStart().replace('+', ''));
      const int = number < 1n << 64n ? BigInt.asIntN(32, number) : -1n;
      return int < 0n ? refuse(`\`${word}\` is not a port (0 to 65535)`) : Number(int & 0xffffn);
    }
    const port = servicePort(word, 'tcp') ?? servicePort(word, 'udp');
    if (port !== undefined) return port;
    return /^[a-z][\w.+*/-]*$/iu.test(word) ? unresolved(word, 'service') : refuse(`\`${word}\` is neither a port (decimal) nor a service name`);
  },
  print: String,
  arbitrary: fc => fc.oneof(
    { weight: 4, arbitrary: portWord(fc).map(port => [String(port)]) },
    { weight: 1, arbitrary: fc.constantFrom('http', 'syslog', 'tftp', '080', '65537', '+22').map(word => [word]) },
  ),
};
