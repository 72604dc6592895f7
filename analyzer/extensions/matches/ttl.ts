import { defineMatch } from '../define.js';
import { hopLimitOptions } from '../hop-limit-options.js';

/** @see ttl_mt() in net/netfilter/xt_hl.c */
export const ttl = defineMatch('ttl', () => ({
  doc: 'Matches packets by their time to live.',
  families: ['ipv4'],
  options: hopLimitOptions('ttl', 'time to live'),
  check: given => Object.keys(given).length === 0 ? 'one of --ttl-eq, --ttl-lt and --ttl-gt must be given' : undefined,
  examples: [
    ['-m ttl --ttl-lt 64', '='],
    ['-m ttl ! --ttl 0x5', '-m ttl ! --ttl-eq 5'],
    ['-m ttl ! --ttl-gt 5', undefined],
    ['-m ttl --ttl-gt 5 --ttl-lt 10', undefined],
    ['-m ttl --ttl-eq 256', undefined],
  ],
}));
