import { defineTarget } from '../define.js';

export const queue = defineTarget('QUEUE', () => ({
  doc: 'The packet is handed to a program in user space (long replaced by NFQUEUE).',
  effect: 'queue',
  backends: ['legacy'],
  options: {},
  examples: [['-j QUEUE', '=']],
}));
