import { always, unknown } from '../../packet/constraint.js';
import type { Connection } from '../../packet/connection.js';
import { noPacket } from '../../packet/predicates.js';
import { keyword } from '../../values/keyword.js';
import { wideRange } from '../../values/wide-range.js';
import { ofConnection } from '../connection-tests.js';
import { defineMatch, option } from '../define.js';
import { tracked } from '../tracked.js';

const top = (1n << 64n) - 1n;
const average = 2;
const both = 2;

type Count = (connection: Connection) => bigint;

/** What is counted in the one direction, or in both. */
function counted(what: 'packets' | 'bytes', direction: number): Count {
  if (direction === both) return connection => connection[what][0] + connection[what][1];
  return connection => connection[what][direction === 0 ? 0 : 1];
}

function count(mode: number, direction: number): Count {
  if (mode !== average) return counted(mode === 0 ? 'packets' : 'bytes', direction);
  const packets = counted('packets', direction);
  const bytes = counted('bytes', direction);
  return connection => {
    const number = packets(connection);
    return number === 0n ? 0n : bytes(connection) / number;
  };
}

/**
 * @see connbytes_mt() in net/netfilter/xt_connbytes.c. `!` is kept by swapping the ends of the range, so
 * that it is lost where both are the same; an upper end of 0 is not saved.
 */
export const connbytes = defineMatch('connbytes', () => ({
  doc: 'Matches packets of connections that have carried so many bytes or packets, or packets of such a size on average.',
  tracks: 'accounting',
  options: {
    range: option({
      names: ['--connbytes'], doc: 'from how many, and up to how many', negatable: true, required: true,
      value: wideRange(top),
      save: ({ negated, value: { low, high } }) => `${negated && low !== high ? '! ' : ''}--connbytes ${String(low)}${high === 0n || high === top ? '' : `:${String(high)}`}`,
      means: () => unknown('how much a connection has carried so far'),
    }),
    mode: option({ names: ['--connbytes-mode'], doc: 'what is counted', required: true, value: keyword({ packets: 0, bytes: 1, avgpkt: average }, { name: 'mode' }), means: () => always }),
    dir: option({ names: ['--connbytes-dir'], doc: 'in which direction', required: true, value: keyword({ original: 0, reply: 1, both }, { name: 'direction' }), means: () => always }),
  },
  requires: tracked,
  check: ({ range }) => range !== undefined && range.value.low > range.value.high ? `the range ${String(range.value.low)}:${String(range.value.high)} is upside down` : undefined,
  matches: ({ range, mode, dir }) => {
    if (range === undefined || mode === undefined || dir === undefined) return noPacket;
    const { low, high } = range.value;
    const outside = range.negated && low !== high;
    const counter = count(mode.value, dir.value);
    return ofConnection(connection => {
      const carried = counter(connection);
      // What -j CT prepares is not counted, nor is what began before anybody asked.
      return connection.accounted === true && (carried >= low && carried <= high) !== outside;
    });
  },
  examples: [
    ['-m connbytes --connbytes 10:20 --connbytes-mode bytes --connbytes-dir both', '='],
    ['-m connbytes --connbytes-dir reply --connbytes-mode avgpkt ! --connbytes 0x10:', '-m connbytes ! --connbytes 16 --connbytes-mode avgpkt --connbytes-dir reply'],
    ['-m connbytes ! --connbytes 7:7 --connbytes-mode packets --connbytes-dir original', '-m connbytes --connbytes 7:7 --connbytes-mode packets --connbytes-dir original'],
    ['-m connbytes --connbytes 20:10 --connbytes-mode bytes --connbytes-dir both', undefined],
    ['-m connbytes --connbytes 20 --connbytes-mode bytes', undefined],
  ],
}));
