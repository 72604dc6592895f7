import { getaddrinfoPort } from './getaddrinfo-port.js';
import type { PortRange } from './port.js';
import { Problem, refuse, type Value } from './value.js';

/** `port[:port]` as XTTYPE_PORTRC has it (`xtopt_parse_mport`, libxtables/xtoptions.c). It may be upside down: then no port is in it. */
export const getaddrinfoPortRange: Value<PortRange> = {
  syntax: 'port[:port]',
  words: 1,
  parse: ([word = ''], cx) => {
    const [first = '', second, ...more] = word.split(':');
    if (more.length > 0) return refuse(`\`${word}\` has more than two ports`);
    const low = getaddrinfoPort.parse([first], cx);
    if (low instanceof Problem) return low;
    if (second === undefined) return { low, high: low };
    const high = second === '' ? 65_535 : getaddrinfoPort.parse([second], cx);
    return high instanceof Problem ? high : { low, high };
  },
  // An upper end of 0 is taken for none.
  print: ({ low, high }) => high === 0 || low === high ? String(low) : `${String(low)}:${String(high)}`,
  arbitrary: (fc, cx) => {
    const port = getaddrinfoPort.arbitrary(fc, cx).map(([word = '']) => word);
    return fc.tuple(port, port, fc.constantFrom('one', 'range', 'from', 'to')).map(([a, b, form]) => [form === 'one' ? a : form === 'from' ? `${a}:` : form === 'to' ? `:${a}` : `${a}:${b}`]);
  },
};
