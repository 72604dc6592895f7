import { atom } from '../../packet/constraint.js';
import { ipv6Header } from '../../packet/ipv6-headers.js';
import { defineMatch } from '../define.js';
import { hasHeader, headerOptions } from '../ipv6-options-match.js';

const ipv6 = { family: 'ipv6' } as const;

/** @see hbh_mt6() in net/ipv6/netfilter/ip6t_hbh.c, for both kinds of header. A packet without the header never matches. */
export const dst = defineMatch('dst', () => ({
  doc: 'Matches packets with a destination options header, by its length and options.',
  families: ['ipv6'],
  requires: atom('dst'),
  options: headerOptions('dst'),
  matches: hasHeader(ipv6Header.destination),
  examples: [
    ['-m dst ! --dst-len 5 --dst-opts 1:2,23:42,4', '=', ipv6],
    ['-m dst --dst-opts 257:0x10,5:255', '-m dst --dst-opts 1:16,5', ipv6],
    ['-m dst --dst-opts 0:3', undefined, ipv6],
    ['-m dst ! --dst-opts 1', undefined, ipv6],
    ['-m dst --dst-opts 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16:1', undefined, ipv6],
  ],
}));
