import { Verdict } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { defineTarget, option } from '../define.js';

/** @see connsecmark_tg_check() in net/netfilter/xt_CONNSECMARK.c. */
export const connsecmark = defineTarget('CONNSECMARK', () => ({
  doc: 'Copies the security mark between packet and connection.',
  effect: 'continue',
  tracks: true,
  tables: ['mangle', 'security'],
  options: {
    save: option({ names: ['--save'], doc: 'from the packet to the connection, if that has none', value: flag, excludes: ['restore'] }),
    restore: option({ names: ['--restore'], doc: 'from the connection to the packet, if that has none', value: flag, excludes: ['save'] }),
  },
  check: ({ save, restore }) => save === undefined && restore === undefined ? 'one of --save and --restore must be given' : undefined,
  apply: ({ save }) => ({ packet }) => {
    const { connection } = packet;
    if (connection === undefined) return Verdict.Continue;
    if (save !== undefined && connection.secmark === '') connection.secmark = packet.secmark;
    if (save === undefined && packet.secmark === '') packet.secmark = connection.secmark;
    return Verdict.Continue;
  },
  examples: [
    ['-j CONNSECMARK --save', '=', { table: 'security' }],
    ['-j CONNSECMARK --restore', '=', { table: 'mangle', chain: 'PREROUTING' }],
    ['-j CONNSECMARK --save --restore', undefined, { table: 'security' }],
    ['-j CONNSECMARK', undefined, { table: 'security' }],
    ['-j CONNSECMARK --save', undefined],
  ],
}));
