import { defineTarget } from '../define.js';

/** @see trace_tg_check() in net/netfilter/xt_TRACE.c; nft has a statement of its own (`nftrace set 1`), which goes anywhere. */
export const trace = defineTarget('TRACE', () => ({
  doc: 'Every rule that the packet meets from here on is logged.',
  effect: 'continue',
  options: {},
  check: (_, { backend, table }) => backend === 'legacy' && table !== 'raw' ? 'it is allowed in table raw only' : undefined,
  examples: [
    ['-j TRACE', '=', { table: 'raw', chain: 'PREROUTING' }],
    ['-j TRACE', '=', { table: 'raw', chain: 'OUTPUT', family: 'ipv6' }],
  ],
}));
