import { always } from '../../packet/constraint.js';
import { text } from '../../values/text.js';
import { defineMatch, option } from '../define.js';

/** @see xt_comment(8); the kernel keeps 256 bytes, the last for the end. */
export const comment = defineMatch('comment', () => ({
  doc: 'Carries a comment, of which 255 bytes are kept; every packet matches.',
  options: {
    comment: option({
      names: ['--comment'], doc: 'the comment', required: true,
      value: text({ max: 255, name: 'comment', cut: true }),
      means: () => always,
    }),
  },
  examples: [
    ['-m comment --comment hello', '='],
    ['-m comment --comment "two words"', '='],
    ['-m comment --comment "say \\"hi\\""', '='],
    [`-m comment --comment ${'x'.repeat(300)}`, `-m comment --comment ${'x'.repeat(255)}`],
    ['-m comment', undefined],
  ],
}));
