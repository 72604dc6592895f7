import { always } from '../../packet/constraint.js';
import { quote, text } from '../../values/text.js';
import { defineMatch, option } from '../define.js';

/** @see nfacct_mt() in net/netfilter/xt_nfacct.c; libxt_nfacct.c saves the name behind two blanks. */
export const nfacct = defineMatch('nfacct', () => ({
  remembers: true,
  doc: 'Counts the packet in an accounting object that was made with nfacct(8); every packet matches.',
  // The test namespace has no accounting object.
  needsOnMachine: 'an accounting object, made with nfacct(8)',
  options: {
    name: option({
      names: ['--nfacct-name'], doc: 'name of the accounting object', required: true,
      value: text({ min: 1, max: 31, name: 'name', cut: true }),
      save: ({ value }) => `--nfacct-name  ${quote(value)}`,
      means: () => always,
    }),
  },
  check: given => given.name?.value.includes('\n') === true ? 'the name must not contain a line break' : undefined,
  examples: [
    ['-m nfacct --nfacct-name web', '-m nfacct --nfacct-name  web'],
    ['-m nfacct', undefined],
    ['-m nfacct --nfacct-name ""', undefined],
  ],
}));
