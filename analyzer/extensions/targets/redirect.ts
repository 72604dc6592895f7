import { Verdict } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { natPorts } from '../../values/nat-range.js';
import { defineTarget, option } from '../define.js';
import { natMapping } from '../nat-mapping.js';
import { natPortRewrites } from '../nat-rewrites.js';
import { loopback, redirectAddress } from '../redirect-address.js';

/** @see redirect_tg4(), redirect_tg6() in net/netfilter/xt_REDIRECT.c */
export const redirect = defineTarget('REDIRECT', () => ({
  doc: 'The packet goes to this machine itself, perhaps to another port.',
  effect: 'nat',
  changes: ['addresses'],
  tracks: true,
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
  rewrites: (given, cx) => [
    cx.hook === 'OUTPUT' ? { kind: 'within', field: 'dst', ranges: [{ low: loopback[cx.family], high: loopback[cx.family] }] } : { kind: 'local', field: 'dst' },
    ...natPortRewrites(natMapping('destination', given), cx),
  ],
  apply: given => {
    const range = natMapping('destination', given);
    return t => {
      const address = redirectAddress(t);
      if (address !== undefined) return t.world.nat(t, { ...range, minAddress: address, maxAddress: address });
      t.note(`${t.packet.in} has no address to redirect to`);
      return Verdict.Drop;
    };
  },
  examples: [
    ['-p tcp -j REDIRECT --to-ports 8080', '=', { table: 'nat', chain: 'PREROUTING' }],
    ['-p udp -j REDIRECT --random --to-ports 0x35-0x35', '-p udp -j REDIRECT --to-ports 53 --random', { table: 'nat', chain: 'OUTPUT' }],
    ['-j REDIRECT', '=', { table: 'nat', chain: 'OUTPUT' }],
    ['-j REDIRECT --to-ports 80', undefined, { table: 'nat', chain: 'OUTPUT' }],
    ['-p tcp -j REDIRECT --to-ports 1-9/5', undefined, { table: 'nat', chain: 'OUTPUT' }],
    ['-j REDIRECT', undefined, { table: 'nat', chain: 'INPUT' }],
  ],
}));
