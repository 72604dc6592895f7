import { always, unknown } from '../../packet/constraint.js';
import { keyword } from '../../values/keyword.js';
import { wideRange } from '../../values/wide-range.js';
import { defineMatch, option } from '../define.js';
import { tracked } from '../tracked.js';

const top = (1n << 64n) - 1n;

/**
 * @see connbytes_mt() in net/netfilter/xt_connbytes.c. `!` is kept by swapping the ends of the range, so
 * that it is lost where both are the same; an upper end of 0 is not saved.
 */
export const connbytes = defineMatch('connbytes', () => ({
  doc: 'Matches packets of connections that have carried so many bytes or packets, or packets of such a size on average.',
  options: {
    range: option({
      names: ['--connbytes'], doc: 'from how many, and up to how many', negatable: true, required: true,
      value: wideRange(top),
      save: ({ negated, value: { low, high } }) => `${negated && low !== high ? '! ' : ''}--connbytes ${String(low)}${high === 0n || high === top ? '' : `:${String(high)}`}`,
      means: () => unknown('how much a connection has carried so far'),
    }),
    mode: option({ names: ['--connbytes-mode'], doc: 'what is counted', required: true, value: keyword({ packets: 0, bytes: 1, avgpkt: 2 }, { name: 'mode' }), means: () => always }),
    dir: option({ names: ['--connbytes-dir'], doc: 'in which direction', required: true, value: keyword({ original: 0, reply: 1, both: 2 }, { name: 'direction' }), means: () => always }),
  },
  requires: tracked,
  check: ({ range }) => range !== undefined && range.value.low > range.value.high ? `the range ${String(range.value.low)}:${String(range.value.high)} is upside down` : undefined,
  examples: [
    ['-m connbytes --connbytes 10:20 --connbytes-mode bytes --connbytes-dir both', '='],
    ['-m connbytes --connbytes-dir reply --connbytes-mode avgpkt ! --connbytes 0x10:', '-m connbytes ! --connbytes 16 --connbytes-mode avgpkt --connbytes-dir reply'],
    ['-m connbytes ! --connbytes 7:7 --connbytes-mode packets --connbytes-dir original', '-m connbytes --connbytes 7:7 --connbytes-mode packets --connbytes-dir original'],
    ['-m connbytes --connbytes 20:10 --connbytes-mode bytes --connbytes-dir both', undefined],
    ['-m connbytes --connbytes 20 --connbytes-mode bytes', undefined],
  ],
}));
