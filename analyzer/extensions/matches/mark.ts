import { masked } from '../../packet/constraint.js';
import { markMask } from '../../values/mark-mask.js';
import { defineMatch, option } from '../define.js';

/** @see mark_mt() in net/netfilter/xt_mark.c. A value with bits outside its mask never matches. */
export const mark = defineMatch('mark', () => ({
  doc: 'Matches packets by their mark (fwmark).',
  options: {
    mark: option({
      names: ['--mark'], doc: 'mark, with a mask of the bits that count', value: markMask, negatable: true, required: true,
      means: ({ mark: value, mask }) => masked('mark', value, mask),
    }),
  },
  examples: [
    ['-m mark --mark 0x1', '='],
    ['-m mark --mark 16/0377', '-m mark --mark 0x10/0xff'],
    ['-m mark ! --mark 1/0xffffffff', '-m mark ! --mark 0x1'],
    ['-m mark --mark 4294967296', undefined],
    ['-m mark', undefined],
  ],
}));
