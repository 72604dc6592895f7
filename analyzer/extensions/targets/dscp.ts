import { rewriteTos } from '../../packet/rewrite.js';
import { Verdict } from '../../packet/traversal.js';
import { dscpClass, printDscp } from '../../values/dscp-class.js';
import { integer } from '../../values/number.js';
import { defineTarget, option } from '../define.js';
import { fieldImage } from '../field-image.js';

/** @see dscp_tg() in net/netfilter/xt_DSCP.c. A class is saved as its number. */
export const dscpTarget = defineTarget('DSCP', () => ({
  doc: 'Sets the differentiated services codepoint, by which routers tell urgent traffic.',
  effect: 'continue',
  changes: ['dscp'],
  tables: ['mangle'],
  options: {
    value: option({ names: ['--set-dscp'], doc: 'the codepoint', value: { ...integer(0, 63), print: printDscp }, excludes: ['class'] }),
    class: option({ names: ['--set-dscp-class'], doc: 'the codepoint by name', value: dscpClass, excludes: ['value'], save: ({ value }) => `--set-dscp ${printDscp(value)}` }),
  },
  check: ({ value, class: byName }) => value === undefined && byName === undefined ? 'one of --set-dscp and --set-dscp-class must be given' : undefined,
  rewrites: ({ value, class: byName }) => fieldImage('dscp', 6, () => (value ?? byName)?.value ?? 0),
  apply: ({ value, class: byName }) => {
    const dscp = (value ?? byName)?.value ?? 0;
    return ({ packet }) => {
      rewriteTos(packet, (dscp << 2) | (packet.tos & 3));
      return Verdict.Continue;
    };
  },
  examples: [
    ['-j DSCP --set-dscp 0x2e', '=', { table: 'mangle', chain: 'POSTROUTING' }],
    ['-j DSCP --set-dscp 8', '-j DSCP --set-dscp 0x08', { table: 'mangle', chain: 'POSTROUTING' }],
    ['-j DSCP --set-dscp-class af11', '-j DSCP --set-dscp 0x0a', { table: 'mangle', chain: 'POSTROUTING', family: 'ipv6' }],
    ['-j DSCP --set-dscp 64', undefined, { table: 'mangle', chain: 'POSTROUTING' }],
    ['-j DSCP --set-dscp-class cs8', undefined, { table: 'mangle', chain: 'POSTROUTING' }],
    ['-j DSCP', undefined, { table: 'mangle', chain: 'POSTROUTING' }],
  ],
}));
