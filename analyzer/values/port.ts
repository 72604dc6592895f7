import { parseInteger } from './number.js';
import { services } from './services.js';
import { refuse, unresolved, type Problem, type Value, type ValueContext } from './value.js';

/** The port of a service name, as the bundled table has it: /etc/services of Debian for names that are common. */
export function servicePort(name: string, protocol: string): number | undefined {
  return services.get(`${name}/${protocol}`);
}

/** A word as one port: a number in any base, or a service name of `protocol` (tcp, udp, …). */
export function parsePort(word: string, protocol: string): number | Problem {
  const number = parseInteger(word, 0, 65_535);
  if (number !== undefined) return number;
  if (/^[ \t]*[+-]?\d/u.test(word) || word === '') return refuse(`\`${word}\` is not a port (0 to 65535)`);
  const port = servicePort(word, protocol);
  if (port !== undefined) return port;
  return /^[a-z][\w.+*/-]*$/iu.test(word) ? unresolved(word, 'service') : refuse(`\`${word}\` is neither a port nor a service name`);
}

/** Inclusive at both ends. */
export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/** The name under which service names are looked up for the rule's protocol. */
export function portProtocolName(cx: ValueContext): string {
  switch (cx.protocol?.number) {
    case 17: return 'udp';
    case 33: return 'dccp';
    case 132: return 'sctp';
    case 136: return 'udplite';
    default: return 'tcp';
  }
}

/** `port[:port]`, either side may be empty; saved as one port where both are the same. */
export function portRange(protocol?: string): Value<PortRange> {
  return {
    syntax: 'port[:port]',
    words: 1,
    parse: ([word = ''], cx) => {
      const name = protocol ?? portProtocolName(cx);
      const colon = word.indexOf(':');
      if (colon === -1) {
        const port = parsePort(word, name);
        return typeof port === 'number' ? { low: port, high: port } : port;
      }
      const low = colon === 0 ? 0 : parsePort(word.slice(0, colon), name);
      if (typeof low !== 'number') return low;
      const high = colon === word.length - 1 ? 65_535 : parsePort(word.slice(colon + 1), name);
      if (typeof high !== 'number') return high;
      if (low > high) return refuse(`the range ${word} is upside down`, `write ${String(high)}:${String(low)}`);
      return { low, high };
    },
    print: ({ low, high }) => low === high ? String(low) : `${String(low)}:${String(high)}`,
    arbitrary: fc => fc.tuple(portWord(fc), portWord(fc), fc.constantFrom('one', 'range', 'from', 'to')).map(([a, b, form]) => {
      const [low, high] = a <= b ? [a, b] : [b, a];
      if (form === 'one') return [String(a)];
      if (form === 'from') return [`${String(a)}:`];
      return [form === 'to' ? `:${String(a)}` : `${String(low)}:${String(high)}`];
    }),
  };
}

/** Ports as people write them: mostly well known ones and the ends of the range. */
export function portWord(fc: Parameters<Value<unknown>['arbitrary']>[0]): ReturnType<typeof fc.integer> {
  return fc.oneof(fc.constantFrom(0, 1, 22, 53, 80, 443, 1023, 1024, 32_768, 65_534, 65_535), fc.integer({ min: 0, max: 65_535 }));
}
