import { within } from '../../packet/constraint.js';
import { numberRange } from '../../values/number-range.js';
import { defineMatch, option } from '../define.js';

/** @see length_mt() in net/netfilter/xt_length.c. The length is that of the whole IP packet. */
export const length = defineMatch('length', () => ({
  doc: 'Matches packets by their length in bytes, IP header included.',
  options: {
    length: option({
      names: ['--length'], doc: 'length or range', value: numberRange(0xffff, { name: 'length' }), negatable: true, required: true,
      means: ({ low, high }) => within('length', low, high),
    }),
  },
  examples: [
    ['-m length ! --length 64:1500', '='],
    ['-m length --length :0x40', '-m length --length 0:64'],
    ['-m length --length 10:5', '='],
    ['-m length --length 65536', undefined],
    ['-m length', undefined],
  ],
}));
