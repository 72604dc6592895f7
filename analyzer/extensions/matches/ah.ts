import { is, within } from '../../packet/constraint.js';
import { numberRange } from '../../values/number-range.js';
import { defineMatch, option } from '../define.js';
import { max32, saveRange } from '../save-full-range.js';

/** @see ah_mt() in net/ipv4/netfilter/ipt_ah.c. Later fragments never match. */
export const ah = defineMatch('ah', () => ({
  doc: 'Matches the security parameter index of an IPsec authentication header.',
  families: ['ipv4'],
  protocols: ['ah'],
  requires: is('fragment', 0),
  header: 12,
  options: {
    spi: option({
      names: ['--ahspi'], doc: 'security parameter index or range', value: numberRange(max32, { name: 'spi' }), negatable: true,
      save: saveRange('--ahspi', max32), means: ({ low, high }) => within('spi', low, high),
    }),
  },
  examples: [
    ['-p ah -m ah ! --ahspi 256:512', '='],
    ['-p ah --ahspi 0x10:', '-p ah -m ah --ahspi 16:4294967295'],
    ['-p ah -m ah --ahspi :', '-p ah -m ah'],
    ['-p ah -m ah --ahspi 4294967296', undefined],
    ['-m ah', undefined],
  ],
}));
