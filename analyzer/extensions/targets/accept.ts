import { defineTarget } from '../define.js';

export const accept = defineTarget('ACCEPT', () => ({
  doc: 'The packet goes on to the next table.',
  effect: 'accept',
  options: {},
  examples: [['-j ACCEPT', '=']],
}));
