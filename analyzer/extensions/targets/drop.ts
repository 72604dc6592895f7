import { defineTarget } from '../define.js';

export const drop = defineTarget('DROP', () => ({
  doc: 'The packet is gone, and nobody is told.',
  effect: 'drop',
  options: {},
  examples: [['-j DROP', '=']],
}));
