import { integer } from '../../values/number.js';
import { changeTtl, ttlRewrites } from '../change-ttl.js';
import { defineTarget, option } from '../define.js';

/** @see hl_tg6_check() in net/netfilter/xt_HL.c. */
export const hlTarget = defineTarget('HL', () => ({
  doc: 'Changes the hop limit.',
  families: ['ipv6'],
  effect: 'continue',
  changes: ['ttl'],
  tables: ['mangle'],
  options: {
    set: option({ names: ['--hl-set'], doc: 'the new hop limit', value: integer(0, 255), excludes: ['dec', 'inc'] }),
    dec: option({ names: ['--hl-dec'], doc: 'how much it is lowered', value: integer(1, 255), excludes: ['set', 'inc'] }),
    inc: option({ names: ['--hl-inc'], doc: 'how much it is raised', value: integer(1, 255), excludes: ['set', 'dec'] }),
  },
  check: given => Object.keys(given).length === 0 ? 'one of --hl-set, --hl-dec and --hl-inc must be given' : undefined,
  rewrites: ttlRewrites,
  apply: changeTtl,
  examples: [
    ['-j HL --hl-set 64', '=', { table: 'mangle', chain: 'PREROUTING', family: 'ipv6' }],
    ['-j HL --hl-inc 0x1', '-j HL --hl-inc 1', { table: 'mangle', chain: 'PREROUTING', family: 'ipv6' }],
    ['-j HL --hl-dec 0', undefined, { table: 'mangle', chain: 'PREROUTING', family: 'ipv6' }],
    ['-j HL --hl-set 256', undefined, { table: 'mangle', chain: 'PREROUTING', family: 'ipv6' }],
    ['-j HL', undefined, { table: 'mangle', chain: 'PREROUTING', family: 'ipv6' }],
  ],
}));
