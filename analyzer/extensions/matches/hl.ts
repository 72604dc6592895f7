import { defineMatch } from '../define.js';
import { hopLimitOptions } from '../hop-limit-options.js';

/** @see hl_mt6() in net/netfilter/xt_hl.c */
export const hl = defineMatch('hl', () => ({
  doc: 'Matches packets by their hop limit.',
  families: ['ipv6'],
  options: hopLimitOptions('hl', 'hop limit'),
  check: given => Object.keys(given).length === 0 ? 'one of --hl-eq, --hl-lt and --hl-gt must be given' : undefined,
  examples: [
    ['-m hl --hl-lt 64', '=', { family: 'ipv6' }],
    ['-m hl ! --hl 0x5', '-m hl ! --hl-eq 5', { family: 'ipv6' }],
    ['-m hl ! --hl-gt 5', undefined, { family: 'ipv6' }],
    ['-m hl --hl-gt 5 --hl-lt 10', undefined, { family: 'ipv6' }],
    ['-m hl --hl-eq 256', undefined, { family: 'ipv6' }],
  ],
}));
