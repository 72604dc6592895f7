import { all, atom, not } from '../../packet/constraint.js';
import { flag } from '../../values/flag.js';
import { ipv6Headers } from '../../values/ipv6-headers.js';
import { defineMatch, option } from '../define.js';

const ipv6 = { family: 'ipv6' } as const;

/**
 * With --soft and `!` none of the headers may be there, which is not the opposite of all of them being there.
 * @see ipv6header_mt6() in net/ipv6/netfilter/ip6t_ipv6header.c
 */
export const ipv6header = defineMatch('ipv6header', () => ({
  doc: 'Matches packets by the extension headers they have.',
  families: ['ipv6'],
  options: {
    header: option({ names: ['--header'], doc: 'the headers', value: ipv6Headers, negatable: true, required: true }),
    soft: option({ names: ['--soft'], doc: 'other headers may be there as well', value: flag }),
  },
  means: ({ header, soft }, cx) => {
    const list = header?.value ?? [];
    if (soft === undefined) {
      const exactly = atom(`ipv6header exactly ${ipv6Headers.print(list, cx)}`);
      return header?.negated === true ? not(exactly) : exactly;
    }
    return all(list.map(name => atom(`ipv6header ${name}`)).map(one => header?.negated === true ? not(one) : one));
  },
  examples: [
    ['-m ipv6header --header hop-by-hop,ipv6-frag --soft', '=', ipv6],
    ['-m ipv6header ! --header 60,IPSEC-AH,hop', '-m ipv6header ! --header hop-by-hop,ipv6-opts,ah', ipv6],
    ['-m ipv6header --header prot,prot', '-m ipv6header --header protocol', ipv6],
    ['-m ipv6header --header HOP', undefined, ipv6],
    ['-m ipv6header --header ,', undefined, ipv6],
    ['-m ipv6header --soft', undefined, ipv6],
  ],
}));
