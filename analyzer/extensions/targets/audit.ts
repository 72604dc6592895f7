import { keyword } from '../../values/keyword.js';
import { defineTarget, option } from '../define.js';

/** @see audit_tg() in net/netfilter/xt_AUDIT.c. */
export const audit = defineTarget('AUDIT', () => ({
  doc: 'Writes an audit record about the packet; what happens to the packet is said by another rule.',
  effect: 'continue',
  options: {
    type: option({
      names: ['--type'], doc: 'the decision that is recorded', required: true,
      value: keyword({ accept: 'accept', drop: 'drop', reject: 'reject' }, { name: 'type of audit record', ignoreCase: true }),
    }),
  },
  examples: [
    ['-j AUDIT --type accept', '='],
    ['-j AUDIT --type DROP', '-j AUDIT --type drop'],
    ['-j AUDIT --type acc', undefined],
    ['-j AUDIT', undefined],
  ],
}));
