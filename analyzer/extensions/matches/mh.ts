import { is } from '../../packet/constraint.js';
import { mhTypes } from '../../values/mh-type.js';
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
  examples: [
    ['-p mobility-header -m mh --mh-type 1:3', '=', ipv6],
    ['-p mh --mh-type BU:', '-p mobility-header -m mh --mh-type 5:255', ipv6],
    ['-p mh -m mh ! --mh-type home', '-p mobility-header -m mh ! --mh-type 1', ipv6],
    ['-p mh -m mh --mh-type 5:3', undefined, ipv6],
    ['-m mh', undefined, ipv6],
  ],
}));
