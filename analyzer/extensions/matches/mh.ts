import { is } from '../../packet/constraint.js';
import { ipv6Header } from '../../packet/ipv6-headers.js';
import { hotdrop } from '../../packet/transport-header.js';
import { mhTypes } from '../../values/mh-type.js';
import { asks } from '../asks.js';
import { defineMatch, option } from '../define.js';
import { inHeaderRange, saveRange } from '../save-full-range.js';

const ipv6 = { family: 'ipv6' } as const;

/** @see mh_mt6() in net/ipv6/netfilter/ip6t_mh.c. Later fragments never match. */
export const mh = defineMatch('mh', () => ({
  doc: 'Matches packets with a mobility header, by its type.',
  families: ['ipv6'],
  protocols: ['mh'],
  requires: is('fragment', 0),
  options: {
    type: option({
      names: ['--mh-type'], doc: 'type or range', value: mhTypes, negatable: true,
      save: saveRange('--mh-type', 255), means: range => inHeaderRange('mh type', range, 255),
    }),
  },
  header: 6,
  matches: given => {
    const type = asks(given.type, ({ low, high }) => ({ packet }) => {
      const found = packet.u8(packet.transport + 2);
      return found >= low && found <= high;
    });
    // Nothing may follow a mobility header.
    return t => t.packet.u8(t.packet.transport) === ipv6Header.none ? type(t) : hotdrop(t);
  },
  examples: [
    ['-p mobility-header -m mh --mh-type 1:3', '=', ipv6],
    ['-p mh --mh-type BU:', '-p mobility-header -m mh --mh-type 5:255', ipv6],
    ['-p mh -m mh ! --mh-type home', '-p mobility-header -m mh ! --mh-type 1', ipv6],
    ['-p mh -m mh --mh-type 5:3', undefined, ipv6],
    ['-m mh', undefined, ipv6],
  ],
}));
