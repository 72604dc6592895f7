import { parsePort, portProtocolName, portWord, type PortRange } from './port.js';
import { printRange } from './number-range.js';
import { refuse, type Value } from './value.js';

/** As many ports as a list may have; a range counts for two (XT_MULTI_PORTS). */
const mostPorts = 15;

/**
 * `port[:port],…`. Neither side of a range may be empty, and its end must lie above its start.
 * @see parse_multi_ports_v1() in libxt_multiport.c
 */
export const portList: Value<readonly PortRange[]> = {
  syntax: 'port[:port],… (at most 15 ports; a range counts for two)',
  words: 1,
  parse: ([word = ''], cx) => {
    // The protocol is looked at while the list is read, so a `-p` behind it comes too late.
    if (cx.protocol === undefined) return refuse('a list of ports needs -p tcp, udp, udplite, sctp or dccp before it');
    const protocol = portProtocolName(cx);
    const ranges: PortRange[] = [];
    let count = 0;
    for (const part of word.split(',')) {
      const colon = part.indexOf(':');
      count += colon === -1 ? 1 : 2;
      if (count > mostPorts) return refuse(`too many ports: a list holds at most ${String(mostPorts)}, and a range counts for two`, 'write several rules, or use a set', 'too-many-ports');
      const low = parsePort(colon === -1 ? part : part.slice(0, colon), protocol);
      if (typeof low !== 'number') return low;
      const high = colon === -1 ? low : parsePort(part.slice(colon + 1), protocol);
      if (typeof high !== 'number') return high;
      if (colon !== -1 && low >= high) return refuse(`the range ${part} does not rise`, low === high ? `write ${String(low)}` : `write ${String(high)}:${String(low)}`);
      ranges.push({ low, high });
    }
    return ranges;
  },
  print: ranges => ranges.map(printRange).join(','),
  arbitrary: fc => {
    const port = fc.tuple(portWord(fc), fc.constantFrom('', '', '0x')).map(([n, base]) => base === '' ? String(n) : `0x${n.toString(16)}`);
    const range = fc.tuple(portWord(fc), portWord(fc)).filter(([a, b]) => a !== b).map(([a, b]) => `${String(Math.min(a, b))}:${String(Math.max(a, b))}`);
    return fc.oneof(
      { weight: 6, arbitrary: fc.array(fc.oneof(port, range), { minLength: 1, maxLength: 7 }) },
      // Up to and beyond the limit, so that what is too much is tried as well.
      { weight: 1, arbitrary: fc.array(port, { minLength: 13, maxLength: 16 }) },
    ).map(list => [list.join(',')]);
  },
};
