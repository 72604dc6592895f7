import { atom } from '../../packet/constraint.js';
import { integer } from '../../values/number.js';
import { defineMatch, option } from '../define.js';

/** @see cpu_mt() in net/netfilter/xt_cpu.c */
export const cpu = defineMatch('cpu', () => ({
  doc: 'Matches packets that this processor handles.',
  options: {
    cpu: option({ names: ['--cpu'], doc: 'number of the processor, from 0', value: integer(0, 0xffff_ffff), negatable: true, required: true, means: number => atom(`cpu ${String(number)}`) }),
  },
  matches: () => t => t.unknown('which processor handles a packet'),
  examples: [
    ['-m cpu --cpu 0', '='],
    ['-m cpu ! --cpu 0x10', '-m cpu ! --cpu 16'],
    ['-m cpu --cpu 4294967295', '='],
    ['-m cpu --cpu 4294967296', undefined],
    ['-m cpu', undefined],
  ],
}));
