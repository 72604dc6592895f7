import { all, masked } from '../../packet/constraint.js';
import { tosMask } from '../../values/tos-mask.js';
import { defineMatch, option } from '../define.js';

/** The byte is DSCP (six bits) and ECN (two bits). @see tos_mt() in net/netfilter/xt_dscp.c */
export const tos = defineMatch('tos', () => ({
  doc: 'Matches packets by their type-of-service byte, which is DSCP and ECN today.',
  options: {
    tos: option({
      names: ['--tos'], doc: 'the bits of the mask have this value', value: tosMask, negatable: true, required: true,
      means: ({ value, mask }) => all([masked('dscp', value >> 2, mask >> 2), masked('ecn', value & 3, mask & 3)]),
    }),
  },
  examples: [
    ['-m tos ! --tos 0x10/0x3f', '='],
    ['-m tos --tos 16', '-m tos --tos 0x10/0xff'],
    ['-m tos --tos minimize-delay', '-m tos --tos 0x10/0x3f'],
    ['-m tos --tos 256', undefined],
    ['-m tos --tos 16/', undefined],
    ['-m tos', undefined],
  ],
}));
