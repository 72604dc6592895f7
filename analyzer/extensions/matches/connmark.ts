import { all, masked, never, not } from '../../packet/constraint.js';
import { noPacket } from '../../packet/predicates.js';
import { markMask } from '../../values/mark-mask.js';
import { ofConnection } from '../connection-tests.js';
import { defineMatch, option } from '../define.js';
import { tracked } from '../tracked.js';

/** @see connmark_mt() in net/netfilter/xt_connmark.c. Packets without a connection do not match, not even with `!`. */
export const connmark = defineMatch('connmark', () => ({
  doc: 'Matches packets by the mark of their connection.',
  tracks: true,
  options: {
    mark: option({ names: ['--mark'], doc: 'mark, with a mask of the bits that count', value: markMask, negatable: true, required: true }),
  },
  means: ({ mark }) => {
    if (mark === undefined) return never;
    const equal = masked('connmark', mark.value.mark, mark.value.mask);
    return all([tracked, mark.negated ? not(equal) : equal]);
  },
  matches: ({ mark }) => {
    if (mark === undefined) return noPacket;
    const { negated, value } = mark;
    const [wanted, mask] = [value.mark | 0, value.mask | 0];
    return ofConnection(connection => ((connection.mark & mask) === wanted) !== negated);
  },
  examples: [
    ['-m connmark --mark 0x1', '='],
    ['-m connmark ! --mark 010/0x0', '-m connmark ! --mark 0x8/0x0'],
    ['-m connmark --mark 10/0xffffffff', '-m connmark --mark 0xa'],
    ['-m connmark --mark 1/', undefined],
  ],
}));
