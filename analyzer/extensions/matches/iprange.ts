import { within } from '../../packet/constraint.js';
import { ipRange } from '../../values/ip-range.js';
import { defineMatch, option } from '../define.js';

/** @see iprange_mt4() and iprange_mt6() in net/netfilter/xt_iprange.c. A reversed range is loaded and matches nothing. */
export const iprange = defineMatch('iprange', () => ({
  doc: 'Matches packets whose address lies in a range.',
  options: {
    src: option({ names: ['--src-range'], doc: 'range of the source address', value: ipRange, negatable: true, means: ({ low, high }) => within('src', low, high) }),
    dst: option({ names: ['--dst-range'], doc: 'range of the destination address', value: ipRange, negatable: true, means: ({ low, high }) => within('dst', low, high) }),
  },
  check: given => given.src === undefined && given.dst === undefined ? '--src-range or --dst-range must be given' : undefined,
  examples: [
    ['-m iprange --src-range 10.0.0.1-10.0.0.9', '='],
    ['-m iprange --dst-range 2001:db8::1-2001:db8::9', '=', { family: 'ipv6' }],
    ['-m iprange ! --dst-range 10.1', '-m iprange ! --dst-range 10.1.0.0-10.1.0.0'],
    ['-m iprange --src-range 10.0.0.9-10.0.0.1', '='],
    ['-m iprange --src-range localhost', undefined],
    ['-m iprange', undefined],
  ],
}));
