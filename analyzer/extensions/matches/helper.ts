import { all, atom } from '../../packet/constraint.js';
import { text } from '../../values/text.js';
import { asks } from '../asks.js';
import { ofConnection } from '../connection-tests.js';
import { defineMatch, option } from '../define.js';
import { tracked } from '../tracked.js';

/** @see helper_mt() in net/netfilter/xt_helper.c. An empty name is any helper; the kernel keeps 29 bytes of it. */
export const helper = defineMatch('helper', () => ({
  doc: 'Matches connections that another one announced through a conntrack helper, as the data connections of FTP.',
  tracks: true,
  options: {
    helper: option({
      names: ['--helper'], doc: 'name of the helper, perhaps with its port (ftp-2121)', negatable: true, required: true,
      value: text({ max: 29, name: 'name', cut: true }),
      means: name => all([tracked, atom(`helper ${name}`)]),
    }),
  },
  // What is given need only begin with the name of the helper: `ftp-2121` is the helper ftp as well.
  matches: given => asks(given.helper, name => ofConnection(({ master }) =>
    master !== undefined && master.helper !== '' && (name === '' || name.startsWith(master.helper)))),
  examples: [
    ['-m helper --helper ftp', '='],
    ['-m helper ! --helper ftp-2121', '='],
    ['-m helper --helper ""', '='],
    ['-m helper --helper aaaaaaaaaabbbbbbbbbbccccccccccdddd', '-m helper --helper aaaaaaaaaabbbbbbbbbbccccccccc'],
    ['-m helper', undefined],
  ],
}));
