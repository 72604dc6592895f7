import { Verdict } from '../../packet/traversal.js';
import { defineTarget } from '../define.js';
import { untracks } from '../tracked.js';

/** @see notrack_tg() in net/netfilter/xt_CT.c; an alias of `CT --notrack` that is saved under its own name. */
export const notrack = defineTarget('NOTRACK', () => ({
  doc: 'The packet is not tracked: its state is UNTRACKED.',
  effect: 'continue',
  changes: ['state'],
  tables: ['raw'],
  options: {},
  rewrites: () => untracks,
  apply: () => t => {
    t.world.template(t, { notrack: true });
    return Verdict.Continue;
  },
  examples: [
    ['-j NOTRACK', '=', { table: 'raw', chain: 'PREROUTING' }],
    ['-j NOTRACK', undefined],
    ['-j NOTRACK --notrack', undefined, { table: 'raw', chain: 'PREROUTING' }],
  ],
}));
