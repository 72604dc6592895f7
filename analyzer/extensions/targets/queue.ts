import { defineTarget } from '../define.js';

/** A verdict of its own (NF_QUEUE), whose queue is 0: nf_queue() in net/netfilter/nf_queue.c. */
export const queue = defineTarget('QUEUE', () => ({
  doc: 'The packet is handed to a program in user space (queue 0 of NFQUEUE).',
  effect: 'queue',
  backends: ['legacy'],
  options: {},
  examples: [['-j QUEUE', '=']],
}));
