import { atom } from '../../packet/constraint.js';
import { defineMatch } from '../define.js';

const ipv6 = { family: 'ipv6' } as const;

/** @see eui64_mt6() in net/ipv6/netfilter/ip6t_eui64.c */
export const eui64 = defineMatch('eui64', () => ({
  doc: 'Matches packets whose IPv6 source address is made of their Ethernet source address.',
  families: ['ipv6'],
  hooks: ['PREROUTING', 'INPUT', 'FORWARD'],
  requires: atom('eui64'),
  options: {},
  examples: [
    ['-m eui64', '=', ipv6],
    ['-m eui64', '=', { family: 'ipv6', chain: 'FORWARD' }],
    ['-m eui64', undefined, { family: 'ipv6', chain: 'OUTPUT' }],
  ],
}));
