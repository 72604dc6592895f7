import { defineTarget } from '../define.js';

export const returnTarget = defineTarget('RETURN', () => ({
  doc: 'Back to the calling chain, or to the policy.',
  effect: 'return',
  options: {},
  examples: [['-j RETURN', '=']],
}));
