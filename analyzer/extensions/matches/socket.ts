import { atom } from '../../packet/constraint.js';
import { flag } from '../../values/flag.js';
import { defineMatch, option } from '../define.js';

/** @see socket_match() in net/netfilter/xt_socket.c. With `--restore-skmark` the packet gets the mark of the socket. */
export const socket = defineMatch('socket', () => ({
  remembers: true,
  doc: 'Matches packets for which this machine has an open socket.',
  hooks: ['PREROUTING', 'INPUT'],
  tracks: 'fragments',
  options: {
    transparent: option({ names: ['--transparent'], doc: 'only transparent sockets', value: flag }),
    nowildcard: option({ names: ['--nowildcard'], doc: 'sockets that listen on every address count as well', value: flag }),
    restore: option({ names: ['--restore-skmark'], doc: 'gives the packet the mark of the socket', value: flag }),
  },
  means: given => atom(`socket${given.transparent === undefined ? '' : ' transparent'}${given.nowildcard === undefined ? '' : ' nowildcard'}`),
  matches: ({ transparent, nowildcard, restore }) => t => {
    const found = t.packet.socket ?? t.world.findSocket(t.packet);
    if (found === 'unknown') {
      if (!t.unknown('it is not known which sockets the host has')) return false;
    } else {
      if (found === undefined || (found.isWildcard && nowildcard === undefined)) return false;
      if (transparent !== undefined && !(found.isTransparent ?? t.unknown('it is not known whether the socket is transparent'))) return false;
    }
    // No socket is said to have a mark: SO_MARK is 0 where nobody sets it.
    if (restore !== undefined) t.packet.mark = 0;
    return true;
  },
  arbitrary: fc => fc.shuffledSubarray(['--transparent', '--nowildcard', '--restore-skmark']),
  examples: [
    ['-m socket', '='],
    ['-m socket --restore-skmark --transparent', '-m socket --transparent --restore-skmark', { table: 'mangle', chain: 'PREROUTING' }],
    ['-m socket --transparent --transparent', undefined],
    ['-m socket ! --transparent', undefined],
    ['-m socket', undefined, { chain: 'OUTPUT' }],
  ],
}));
