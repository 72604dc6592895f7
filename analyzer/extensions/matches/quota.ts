import { never, unknown } from '../../packet/constraint.js';
import { unsigned64 } from '../../values/unsigned64.js';
import { defineMatch, option } from '../define.js';

/** @see quota_mt() in net/netfilter/xt_quota.c. What is saved is the quota as given, and not what is left of it. */
export const quota = defineMatch('quota', () => ({
  doc: 'Matches until so many bytes have passed, and then no more.',
  options: {
    quota: option({
      names: ['--quota'], doc: 'the quota in bytes', value: unsigned64, negatable: true, required: true,
      means: bytes => bytes === 0n ? never : unknown('how much of a quota is left'),
    }),
  },
  bounds: ({ quota: given }) => given?.negated === true ? 'above' : 'below',
  matches: ({ quota: given }) => {
    // Beyond 2^53 bytes nothing is lost that a packet could use up.
    let left = Number(given?.value ?? 0n);
    const inverted = given?.negated === true;
    return ({ packet }) => {
      const { length } = packet.bytes;
      const isLeft = left >= length;
      // One packet that is too large uses up the rest.
      left = isLeft ? left - length : 0;
      return isLeft !== inverted;
    };
  },
  examples: [
    ['-m quota --quota 1000', '='],
    ['-m quota ! --quota 0x10', '-m quota ! --quota 16'],
    ['-m quota --quota 18446744073709551616', undefined],
    ['-m quota', undefined],
  ],
}));
