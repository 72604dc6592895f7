import { all, is, not, within, type Constraint } from '../../packet/constraint.js';
import { flag } from '../../values/flag.js';
import { numberRange, type NumberRange } from '../../values/number-range.js';
import { defineMatch, option, type Given } from '../define.js';
import { max32, saveRange } from '../save-full-range.js';

const zero: Given<NumberRange> = { negated: false, value: { low: 0, high: 0 } };

function hasIndex({ negated, value }: Given<NumberRange>): Constraint {
  const range = within('spi', value.low, value.high);
  return negated ? not(range) : range;
}

/**
 * Without --ipcompspi it is index 0 that is asked for, and saved; --compres asks nothing.
 * The index has 16 bits. Later fragments never match.
 * @see comp_mt() in net/netfilter/xt_ipcomp.c
 */
export const ipcomp = defineMatch('ipcomp', () => ({
  doc: 'Matches the compression parameter index of an IPComp packet.',
  protocols: ['ipcomp'],
  header: 4,
  options: {
    spi: option({ names: ['--ipcompspi'], doc: 'compression parameter index or range', value: numberRange(max32, { name: 'spi' }), negatable: true }),
    reserved: option({ names: ['--compres'], doc: 'taken, but not looked at', value: flag }),
  },
  save: ({ spi, reserved }) => [saveRange('--ipcompspi', max32)(spi ?? zero), reserved === undefined ? '' : '--compres'].filter(words => words !== '').join(' '),
  means: ({ spi }) => all([is('fragment', 0), within('spi', 0, 0xffff), hasIndex(spi ?? zero)]),
  examples: [
    ['-p ipcomp -m ipcomp --ipcompspi 18 --compres', '='],
    ['-p ipcomp -m ipcomp', '-p ipcomp -m ipcomp --ipcompspi 0'],
    ['-p 108 -m ipcomp ! --ipcompspi 4:', '-p ipcomp -m ipcomp ! --ipcompspi 4:4294967295'],
    ['-p ipcomp -m ipcomp ! --compres', undefined],
    ['-m ipcomp', undefined],
  ],
}));
