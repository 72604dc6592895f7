import { parseProtocol } from './protocol.js';
import { refuse, type Value } from './value.js';

/** Protocol number, own names and saved name of each header, in the order in which they are saved. */
const headers = [
  { number: 0, saved: 'hop-by-hop', names: ['hop-by-hop', 'hop', '0', 'ip', 'IP', 'hopopt', 'HOPOPT'] },
  { number: 60, saved: 'ipv6-opts', names: ['dst', '60', 'ipv6-opts', 'IPv6-Opts'] },
  { number: 43, saved: 'ipv6-route', names: ['route', '43', 'ipv6-route', 'IPv6-Route'] },
  { number: 44, saved: 'ipv6-frag', names: ['frag', '44', 'ipv6-frag', 'IPv6-Frag'] },
  { number: 51, saved: 'ah', names: ['auth', '51', 'ah', 'IPSEC-AH'] },
  { number: 50, saved: 'esp', names: ['esp', '50', 'IPSEC-ESP'] },
  { number: 59, saved: 'ipv6-nonxt', names: ['none', '59', 'ipv6-nonxt', 'IPv6-NoNxt'] },
  { number: 255, saved: 'protocol', names: ['prot', 'protocol', '255'] },
] as const;

/** The saved names of the headers, at least one (`parse_header`, libip6t_ipv6header.c). Names are case-sensitive. */
export const ipv6Headers: Value<readonly string[]> = {
  syntax: 'hop,dst,route,frag,auth,esp,none,prot',
  words: 1,
  parse: ([word = '']) => {
    const given = word.split(',').filter(name => name !== '');
    for (const name of given) {
      if (headers.some(header => header.names.some(one => one === name))) continue;
      const isProtocol = typeof parseProtocol(name) === 'number' && !/^\d/u.test(name);
      return refuse(isProtocol ? `\`${name}\` is a protocol, but no extension header` : `\`${name}\` is not the name of a header`);
    }
    const list = headers.filter(header => header.names.some(name => given.includes(name))).map(header => header.saved);
    return list.length === 0 ? refuse('no header is named') : list;
  },
  print: list => list.join(','),
  arbitrary: fc => fc.tuple(fc.array(fc.constantFrom(...headers.flatMap(header => header.names)), { minLength: 1, maxLength: 5 }), fc.constantFrom(',', ',', ',,'))
    .map(([list, comma]) => [list.join(comma)]),
};
