import { always, never, not, unknown, type Constraint } from '../../packet/constraint.js';
import { keyword } from '../../values/keyword.js';
import { integer } from '../../values/number.js';
import { certain, probability } from '../../values/probability.js';
import { defineMatch, option } from '../define.js';

const packetNumber = integer(0, 0xffff_ffff);
const every = integer(1, 0xffff_ffff);

function chance(value: number): Constraint {
  if (value === 0) return never;
  return value === certain ? always : unknown('chance decides');
}

/** @see statistic_mt() in net/netfilter/xt_statistic.c. Of the two modes each has options of its own. */
export const statistic = defineMatch('statistic', () => ({
  doc: 'Matches at random with a given probability, or every n-th packet.',
  options: {
    mode: option({ names: ['--mode'], doc: 'random or nth', required: true, value: keyword({ random: 'random', nth: 'nth' }, { name: 'mode' }), means: () => always }),
    probability: option({ names: ['--probability'], doc: 'how likely a packet matches', value: probability, negatable: true, excludes: ['every', 'packet'] }),
    every: option({ names: ['--every'], doc: 'one of so many packets matches', value: every, negatable: true, excludes: ['probability'], needs: ['packet'] }),
    packet: option({ names: ['--packet'], doc: 'which one of them, from 0', value: packetNumber, excludes: ['probability'], needs: ['every'], means: () => always }),
  },
  check: ({ mode, probability: given, every: count, packet }) => {
    if (mode?.value === 'random' && given === undefined) return '--mode random needs --probability with it';
    if (mode?.value === 'nth' && (count === undefined || packet === undefined)) return '--mode nth needs --every and --packet with it';
    if (count !== undefined && packet !== undefined && packet.value >= count.value) return `--packet must be less than --every, 0 to ${String(count.value - 1)}`;
    return undefined;
  },
  means: ({ probability: given, every: count }) => {
    const matches = given !== undefined ? chance(given.value) : count?.value === 1 ? always : unknown('it depends on how many packets came before');
    return (given ?? count)?.negated === true ? not(matches) : matches;
  },
  matches: ({ probability: given, every: count, packet }) => {
    const inverted = (given ?? count)?.negated === true;
    if (given !== undefined) {
      const { value } = given;
      if (value === 0 || value === certain) return () => (value === certain) !== inverted;
      return ({ world }) => world.random('statistic --mode random') * certain < value !== inverted;
    }
    const last = (count?.value ?? 1) - 1;
    let seen = last - (packet?.value ?? 0);
    return () => {
      seen = seen === last ? 0 : seen + 1;
      return (seen === 0) !== inverted;
    };
  },
  arbitrary: (fc, cx) => {
    const bang = fc.constantFrom([], [], ['!']);
    const random = fc.tuple(bang, probability.arbitrary(fc, cx)).map(([not_, words]) => ['--mode', 'random', ...not_, '--probability', ...words]);
    const nth = fc.tuple(bang, fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 0xffff_ffff })), fc.nat(), fc.boolean()).map(([not_, count, seed, first]) => {
      const options = [...not_, '--every', String(count), '--packet', `0x${(seed % count).toString(16)}`];
      return first ? ['--mode', 'nth', ...options] : [...options, '--mode', 'nth'];
    });
    return fc.oneof(random, nth);
  },
  examples: [
    ['-m statistic --mode random --probability 0.50000000000', '='],
    ['-m statistic ! --probability .3 --mode random', '-m statistic --mode random ! --probability 0.29999999981'],
    ['-m statistic --mode nth --packet 0x1 ! --every 2', '-m statistic --mode nth ! --every 2 --packet 1'],
    ['-m statistic --mode random --probability 1.1', undefined],
    ['-m statistic --mode nth --every 2 --packet 2', undefined],
    ['-m statistic --mode nth --every 2', undefined],
  ],
}));
