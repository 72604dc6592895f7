import { flag } from '../../values/flag.js';
import { natPorts } from '../../values/nat-range.js';
import { defineTarget, option } from '../define.js';

/** @see redirect_tg4() in net/netfilter/xt_REDIRECT.c */
export const redirect = defineTarget('REDIRECT', () => ({
  doc: 'The packet goes to this machine itself, perhaps to another port.',
  effect: 'nat',
  changes: ['addresses'],
  tables: ['nat'],
  hooks: ['PREROUTING', 'OUTPUT'],
  options: {
    ports: option({ names: ['--to-ports'], doc: 'the new destination port or range', value: natPorts('refused') }),
    random: option({ names: ['--random'], doc: 'the port is chosen at random', value: flag }),
  },
  arbitrary: (fc, cx) => fc.tuple(natPorts('refused').arbitrary(fc, cx), fc.boolean(), fc.boolean(), fc.boolean()).map(([words, ports, random, first]) => [
    ...random && first ? ['--random'] : [],
    ...ports && cx.protocol !== undefined ? ['--to-ports', ...words] : [],
    ...random && !first ? ['--random'] : [],
  ]),
  examples: [
    ['-p tcp -j REDIRECT --to-ports 8080', '=', { table: 'nat', chain: 'PREROUTING' }],
    ['-p udp -j REDIRECT --random --to-ports 0x35-0x35', '-p udp -j REDIRECT --to-ports 53 --random', { table: 'nat', chain: 'OUTPUT' }],
    ['-j REDIRECT', '=', { table: 'nat', chain: 'OUTPUT' }],
    ['-j REDIRECT --to-ports 80', undefined, { table: 'nat', chain: 'OUTPUT' }],
    ['-p tcp -j REDIRECT --to-ports 1-9/5', undefined, { table: 'nat', chain: 'OUTPUT' }],
    ['-j REDIRECT', undefined, { table: 'nat', chain: 'INPUT' }],
  ],
}));
