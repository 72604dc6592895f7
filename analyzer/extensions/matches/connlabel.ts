import { all, always, not, unknown } from '../../packet/constraint.js';
import { connectionLabel } from '../../values/connection-label.js';
import { flag } from '../../values/flag.js';
import { asks } from '../asks.js';
import { ofConnection } from '../connection-tests.js';
import { defineMatch, option } from '../define.js';
import { tracked } from '../tracked.js';

/**
 * @see connlabel_mt() in net/netfilter/xt_connlabel.c. Packets without a connection have no label.
 * Where the machine has a name for a label, that name is saved and not the number.
 */
export const connlabel = defineMatch('connlabel', () => ({
  remembers: true,
  doc: 'Matches packets by a label of their connection, and may set it.',
  tracks: true,
  options: {
    label: option({ names: ['--label'], doc: 'the label', value: connectionLabel, negatable: true, required: true }),
    set: option({ names: ['--set'], doc: 'set the label where it is not set yet', value: flag, means: () => always }),
  },
  means: ({ label }) => {
    const has = all([tracked, unknown('which labels a connection has')]);
    return label?.negated === true ? not(has) : has;
  },
  matches: given => asks(given.label, bit => {
    const label = 1n << BigInt(bit);
    const sets = given.set !== undefined;
    return ofConnection(connection => {
      if ((connection.labels & label) !== 0n) return true;
      if (sets) connection.labels |= label;
      return sets;
    });
  }),
  examples: [
    ['-m connlabel --label "5"', '='],
    ['-m connlabel --set ! --label 0x10', '-m connlabel ! --label "16" --set'],
    ['-m connlabel --label 128', undefined],
    ['-m connlabel --set', undefined],
  ],
}));
