import { Verdict } from '../../packet/traversal.js';
import { sampleTime } from '../../values/sample-time.js';
import { text } from '../../values/text.js';
import { defineTarget, option } from '../define.js';
import { namedEstimator, RateEstimator } from '../rate-estimator.js';

/** The interval is rounded up to a quarter of a second times a power of two; this is the power, or undefined where it is too long. */
function intervalPower(time: number): number | undefined {
  return [0, 1, 2, 3, 4, 5].find(power => time <= 250_000 * 2 ** power);
}

/** Over how many intervals is averaged, as a power of two; undefined where that is out of range. */
function averagePower(interval: number, average: number): number | undefined {
  for (let power = 1; power <= 30; power++) {
    if (interval / -Math.log(1 - 1 / 2 ** power) > average) return power === 1 ? undefined : power - 1;
  }
  return undefined;
}

/** As the loader prints a time: in 32 bits, which may overflow. */
function printTime(time: number): string {
  const low = time % 2 ** 32;
  if (low >= 1_000_000) return `${(low / 1_000_000).toFixed(1)}s`;
  return low >= 1000 ? `${(low / 1000).toFixed(1)}ms` : `${String(low)}us`;
}

/** @see xt_rateest_tg_checkentry() in net/netfilter/xt_RATEEST.c: all rules with one name must say the same. */
export const rateestTarget = defineTarget('RATEEST', () => ({
  shares: true,
  doc: 'Measures the rate of packets, for the match of the same name.',
  effect: 'continue',
  options: {
    name: option({ names: ['--rateest-name'], doc: 'the name of the estimator', value: text({ max: 15, bare: true, cut: true, name: 'name' }), required: true }),
    interval: option({ names: ['--rateest-interval'], doc: 'how often is measured, at most every 8 seconds', value: sampleTime, required: true }),
    average: option({ names: ['--rateest-ewmalog'], doc: 'over how long a time is averaged', value: sampleTime, required: true }),
  },
  check: ({ interval, average }) => {
    if (interval === undefined || average === undefined) return undefined;
    if (intervalPower(interval.value) === undefined) return '--rateest-interval can be at most 8s';
    return averagePower(interval.value, average.value) === undefined ? '--rateest-ewmalog must be at least about 1.5 times as long as --rateest-interval, and not too long' : undefined;
  },
  save: ({ name, interval, average }) => {
    const every = 250_000 * 2 ** (intervalPower(interval?.value ?? 0) ?? 0);
    const over = every * 2 ** (averagePower(interval?.value ?? 0, average?.value ?? 0) ?? 1);
    return `--rateest-name ${name?.value ?? ''} --rateest-interval ${printTime(every)} --rateest-ewmalog ${printTime(over)}`;
  },
  apply: ({ name, interval, average }, { world }) => {
    const named = world.shared('rateest', name?.value ?? '', namedEstimator);
    const every = interval?.value ?? 0;
    const estimator = named.estimator ??= new RateEstimator(world, intervalPower(every) ?? 0, averagePower(every, average?.value ?? 0) ?? 1);
    return ({ packet }) => {
      estimator.count(packet.bytes.length);
      return Verdict.Continue;
    };
  },
  arbitrary: (fc, cx) => fc.tuple(
    // Names that do not come twice.
    fc.string({ minLength: 12, maxLength: 18, unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789') }),
    fc.oneof(
      { weight: 1, arbitrary: fc.tuple(sampleTime.arbitrary(fc, cx), sampleTime.arbitrary(fc, cx)).map(([[interval = ''], [average = '']]) => [interval, average] as const) },
      { weight: 3, arbitrary: fc.tuple(fc.integer({ min: 1, max: 8_000_000 }), fc.integer({ min: 1, max: 28 })).map(([time, power]) => [`${String(time)}us`, `${String(time / 1000 * 2 ** power)}ms`] as const) },
    ),
  ).map(([name, [interval, average]]) => ['--rateest-ewmalog', average, '--rateest-name', name, '--rateest-interval', interval]),
  examples: [
    ['-j RATEEST --rateest-name one --rateest-interval 250.0ms --rateest-ewmalog 500.0ms', '='],
    ['-j RATEEST --rateest-name two --rateest-interval 300000 --rateest-ewmalog 4000sEC', '-j RATEEST --rateest-name two --rateest-interval 500.0ms --rateest-ewmalog 4096.0s'],
    ['-j RATEEST --rateest-name three --rateest-interval 9s --rateest-ewmalog 100s', undefined],
    ['-j RATEEST --rateest-name four --rateest-interval 1s --rateest-ewmalog 1s', undefined],
    ['-j RATEEST --rateest-name five --rateest-interval 1min --rateest-ewmalog 1s', undefined],
  ],
}));
