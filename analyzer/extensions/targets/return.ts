import { defineTarget } from '../define.js';

export const returnTarget = defineTarget({
  name: 'RETURN',
  doc: 'Back to the calling chain, or to the policy.',
  effect: 'return',
  options: {},
  examples: [['-j RETURN', '=']],
});
