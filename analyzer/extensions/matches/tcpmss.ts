import { atom } from '../../packet/constraint.js';
import { numberRange, printRange } from '../../values/number-range.js';
import { defineMatch, option } from '../define.js';

/** @see tcpmss_mt() in net/netfilter/xt_tcpmss.c. A packet without the option matches where the range is negated. */
export const tcpmss = defineMatch('tcpmss', () => ({
  doc: 'Matches the maximum segment size that a TCP SYN packet announces.',
  protocols: ['tcp'],
  options: {
    mss: option({
      names: ['--mss'], doc: 'maximum segment size or range', value: numberRange(0xffff, { name: 'value', rising: true }), negatable: true, required: true,
      means: range => atom(`tcpmss ${printRange(range)}`),
    }),
  },
  examples: [
    ['-p tcp -m tcpmss --mss 1400:1500', '='],
    ['-p tcp -m tcpmss ! --mss 0x578:', '-p tcp -m tcpmss ! --mss 1400:65535'],
    ['-p tcp -m tcpmss --mss 5:3', undefined],
    ['-p tcp -m tcpmss', undefined],
    ['-m tcpmss --mss 1400', undefined],
  ],
}));
