import { is, within } from '../../packet/constraint.js';
import { numberRange } from '../../values/number-range.js';
import { defineMatch, option } from '../define.js';
import { max32, saveRange } from '../save-full-range.js';

/** @see esp_mt() in net/netfilter/xt_esp.c. Later fragments never match. */
export const esp = defineMatch('esp', () => ({
  doc: 'Matches the security parameter index of an IPsec ESP packet.',
  protocols: ['esp'],
  requires: is('fragment', 0),
  header: 8,
  options: {
    spi: option({
      names: ['--espspi'], doc: 'security parameter index or range', value: numberRange(max32, { name: 'spi' }), negatable: true,
      save: saveRange('--espspi', max32), means: ({ low, high }) => within('spi', low, high),
    }),
  },
  examples: [
    ['-p esp -m esp ! --espspi 256:512', '='],
    ['-p esp --espspi 0x10:', '-p esp -m esp --espspi 16:4294967295'],
    ['-p esp -m esp --espspi ""', '-p esp -m esp --espspi 0'],
    ['-p esp -m esp --espspi 1:2:3', undefined],
    ['-m esp', undefined],
  ],
}));
