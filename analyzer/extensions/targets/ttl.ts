import { integer } from '../../values/number.js';
import { changeTtl, ttlRewrites } from '../change-ttl.js';
import { defineTarget, option } from '../define.js';

/** @see ttl_tg_check() in net/netfilter/xt_HL.c */
export const ttlTarget = defineTarget('TTL', () => ({
  doc: 'Changes how many more hops the packet may take.',
  effect: 'continue',
  changes: ['ttl'],
  families: ['ipv4'],
  tables: ['mangle'],
  options: {
    set: option({ names: ['--ttl-set'], doc: 'the new value', value: integer(0, 255), excludes: ['dec', 'inc'] }),
    dec: option({ names: ['--ttl-dec'], doc: 'takes this from it', value: integer(1, 255), excludes: ['set', 'inc'] }),
    inc: option({ names: ['--ttl-inc'], doc: 'adds this to it', value: integer(1, 255), excludes: ['set', 'dec'] }),
  },
  check: given => Object.keys(given).length === 0 ? 'one of --ttl-set, --ttl-dec and --ttl-inc must be given' : undefined,
  rewrites: ttlRewrites,
  apply: changeTtl,
  examples: [
    ['-j TTL --ttl-set 64', '=', { table: 'mangle', chain: 'POSTROUTING' }],
    ['-j TTL --ttl-inc 0xff', '-j TTL --ttl-inc 255', { table: 'mangle', chain: 'INPUT' }],
    ['-j TTL --ttl-dec 0', undefined, { table: 'mangle', chain: 'INPUT' }],
    ['-j TTL --ttl-inc 1 --ttl-dec 1', undefined, { table: 'mangle', chain: 'INPUT' }],
    ['-j TTL', undefined, { table: 'mangle', chain: 'INPUT' }],
    ['-j TTL --ttl-set 64', undefined],
  ],
}));
