import { atom } from '../../packet/constraint.js';
import { ipv6Header } from '../../packet/ipv6-headers.js';
import { defineMatch } from '../define.js';
import { hasHeader, headerOptions } from '../ipv6-options-match.js';

const ipv6 = { family: 'ipv6' } as const;

/** @see hbh_mt6() in net/ipv6/netfilter/ip6t_hbh.c, for both kinds of header. A packet without the header never matches. */
export const hbh = defineMatch('hbh', () => ({
  doc: 'Matches packets with a hop-by-hop options header, by its length and options.',
  families: ['ipv6'],
  requires: atom('hbh'),
  options: headerOptions('hbh'),
  matches: hasHeader(ipv6Header.hopByHop),
  examples: [
    ['-m hbh ! --hbh-len 5 --hbh-opts 1:2,23:42,4', '=', ipv6],
    ['-m hbh --hbh-opts 257:0x10,5:255', '-m hbh --hbh-opts 1:16,5', ipv6],
    ['-m hbh --hbh-opts 0:3', undefined, ipv6],
    ['-m hbh ! --hbh-opts 1', undefined, ipv6],
    ['-m hbh --hbh-opts 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16:1', undefined, ipv6],
  ],
}));
