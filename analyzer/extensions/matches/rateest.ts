import { unknown } from '../../packet/constraint.js';
import type { Predicate } from '../../packet/traversal.js';
import { bitRate } from '../../values/bit-rate.js';
import { flag } from '../../values/flag.js';
import { integer } from '../../values/number.js';
import { orNothing } from '../../values/or-nothing.js';
import { text } from '../../values/text.js';
import { defineMatch, option, type EngineContext, type GivenOf, type RuleContext } from '../define.js';
import { namedEstimator, type NamedEstimator, type RateEstimator } from '../rate-estimator.js';

const name = text({ max: 15, name: 'estimator', bare: true, cut: true });
const packets = integer(0, 0xffff_ffff);

const options = {
  delta: option({ names: ['--rateest-delta'], doc: 'compare how far rates are from the given ones', value: flag }),
  first: option({ names: ['--rateest1', '--rateest'], doc: 'name of the rate estimator', value: name, required: true }),
  second: option({ names: ['--rateest2'], doc: 'name of another one to compare it with', value: name }),
  bps1: option({ names: ['--rateest-bps1'], doc: 'bits per second for the first', value: orNothing(bitRate, 0) }),
  pps1: option({ names: ['--rateest-pps1'], doc: 'packets per second for the first', value: orNothing(packets, 0) }),
  bps2: option({ names: ['--rateest-bps2', '--rateest-bps'], doc: 'bits per second to compare with', value: orNothing(bitRate, 0) }),
  pps2: option({ names: ['--rateest-pps2', '--rateest-pps'], doc: 'packets per second to compare with', value: orNothing(packets, 0) }),
  lt: option({ names: ['--rateest-lt'], doc: 'match if the rate is less', value: flag, negatable: true }),
  gt: option({ names: ['--rateest-gt'], doc: 'match if the rate is greater', value: flag, negatable: true }),
  eq: option({ names: ['--rateest-eq'], doc: 'match if the rates are equal', value: flag, negatable: true }),
};
type RateestGiven = GivenOf<typeof options>;

/** Of several comparisons the last one counts, but a `!` before any of them. */
function isInverted({ lt, gt, eq }: RateestGiven): boolean {
  return [lt, gt, eq].some(one => one?.negated === true);
}

function lastComparison({ ordered }: RuleContext): string {
  return ordered.findLast(({ key }) => key === 'lt' || key === 'gt' || key === 'eq')?.key ?? 'lt';
}

function comparison(given: RateestGiven, cx: RuleContext): string {
  return `${isInverted(given) ? '! ' : ''}--rateest-${lastComparison(cx)}`;
}

/** How two rates compare; bytes (or packets) of both sides a second. */
function compare(how: string, first: number, second: number): boolean {
  if (how === 'eq') return first === second;
  return how === 'gt' ? first > second : first < second;
}

interface Rates {
  readonly bytes: number;
  readonly packets: number;
}

function ratesOf(estimator: RateEstimator, base: Rates | undefined): Rates {
  const { bytes, packets } = estimator.read();
  return base === undefined ? { bytes, packets } : { bytes: Math.max(0, base.bytes - bytes), packets: Math.max(0, base.packets - packets) };
}

/** @see xt_rateest_mt() in net/netfilter/xt_rateest.c */
function matches(given: RateestGiven, cx: EngineContext): Predicate {
  const { delta, first, second, bps1, bps2, pps1, pps2 } = given;
  const named = (name: string): NamedEstimator => cx.world.shared('rateest', name, namedEstimator);
  const one = named(first?.value ?? '');
  const other = second === undefined ? undefined : named(second.value);
  const base1 = delta === undefined ? undefined : { bytes: bps1?.value ?? 0, packets: pps1?.value ?? 0 };
  const fixed = { bytes: bps2?.value ?? 0, packets: pps2?.value ?? 0 };
  const base2 = delta === undefined ? undefined : fixed;
  const how = lastComparison(cx);
  const comparesBytes = bps1 !== undefined || bps2 !== undefined;
  const comparesPackets = pps1 !== undefined || pps2 !== undefined;
  return t => {
    if (one.estimator === undefined || (other !== undefined && other.estimator === undefined)) return t.unknown('no RATEEST rule comes before that makes the estimator');
    const left = ratesOf(one.estimator, base1);
    const right = other?.estimator === undefined ? fixed : ratesOf(other.estimator, base2);
    const isSo = (!comparesBytes || compare(how, left.bytes, right.bytes)) && (!comparesPackets || compare(how, left.packets, right.packets));
    return isSo !== isInverted(given);
  };
}

function savedRates(given: RateestGiven, cx: RuleContext): string[] {
  const words: string[] = [];
  const add = (unit: string, print: (rate: number) => string, first: number, second: number): void => {
    if (given.delta === undefined) words.push(comparison(given, cx), `--rateest-${unit}`);
    else words.push(`--rateest-${unit}1 ${print(first)}`, comparison(given, cx), `--rateest-${unit}2`);
    if (given.second === undefined || given.delta !== undefined) words.push(print(second));
  };
  if (given.bps1 !== undefined || given.bps2 !== undefined) add('bps', rate => bitRate.print(rate, cx), given.bps1?.value ?? 0, given.bps2?.value ?? 0);
  if (given.pps1 !== undefined || given.pps2 !== undefined) add('pps', String, given.pps1?.value ?? 0, given.pps2?.value ?? 0);
  return words;
}

/**
 * @see xt_rateest_mt_checkentry() in net/netfilter/xt_rateest.c, and libxt_rateest.c. The estimators are
 * made by `-j RATEEST` rules that must come first. With both bits and packets the comparison is saved
 * twice, which cannot be read again.
 */
export const rateest = defineMatch('rateest', () => ({
  doc: 'Matches by the rate of packets that a RATEEST rule has measured.',
  usesOrder: true,
  options,
  check: ({ bps1, bps2, pps1, pps2, lt, gt, eq }) => {
    if ([bps1, bps2, pps1, pps2].every(rate => rate === undefined)) return 'a rate must be given, as --rateest-bps or --rateest-pps';
    return [lt, gt, eq].every(one => one === undefined) ? 'one of --rateest-lt, --rateest-gt and --rateest-eq must be given' : undefined;
  },
  save: (given, cx) => [
    ...given.delta === undefined ? [] : ['--rateest-delta'],
    ...given.second === undefined ? [`--rateest ${given.first?.value ?? ''}`] : [`--rateest1 ${given.first?.value ?? ''}`],
    ...savedRates(given, cx),
    ...given.second === undefined ? [] : [`--rateest2 ${given.second.value}`],
  ].join(' '),
  matches,
  means: () => unknown('what rate an estimator has measured'),
  needsOnMachine: 'a rate estimator that an earlier RATEEST rule made',
  examples: [
    ['-m rateest --rateest eth0 --rateest-lt --rateest-bps 1000bit', '='],
    ['-m rateest --rateest-delta --rateest1 a --rateest-pps2 3 ! --rateest-gt --rateest-pps1 0x2 --rateest2 b', '-m rateest --rateest-delta --rateest1 a --rateest-pps1 2 ! --rateest-gt --rateest-pps2 3 --rateest2 b'],
    ['-m rateest --rateest a --rateest-bps 1Gibit --rateest-eq', '-m rateest --rateest a --rateest-eq --rateest-bps 1074Mbit'],
    ['-m rateest --rateest1 a --rateest-lt --rateest-bps --rateest2 b', '='],
    ['-m rateest --rateest a --rateest-lt', undefined],
    ['-m rateest --rateest-lt --rateest-bps 5', undefined],
  ],
}));
