import { always, atom, never } from '../../packet/constraint.js';
import { everyPacket, noPacket } from '../../packet/predicates.js';
import { nameMask } from '../../values/name-mask.js';
import { asks } from '../asks.js';
import { defineMatch, option } from '../define.js';

/** @see realm_mt() in net/netfilter/xt_realm.c */
export const realm = defineMatch('realm', () => ({
  doc: 'Matches packets by the realm of the route that they take.',
  families: ['ipv4'],
  hooks: ['INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  options: {
    realm: option({
      names: ['--realm'], doc: 'realm of the route', negatable: true, required: true,
      value: nameMask('realm', '/etc/iproute2/rt_realms', new Map([['cosmos', 0]])),
      means: ({ value, mask }) => {
        if ((value & ~mask) !== 0) return never;
        return mask === 0 ? always : atom(`realm ${String(value)}/${String(mask)}`);
      },
    }),
  },
  // Routes are taken to have no realm, which is realm 0.
  matches: given => asks(given.realm, ({ value }) => value === 0 ? everyPacket : noPacket),
  examples: [
    ['-m realm --realm 0x2a', '='],
    ['-m realm ! --realm 1/42', '-m realm ! --realm 0x1/0x2a'],
    ['-m realm --realm 0', '-m realm --realm cosmos'],
    ['-m realm --realm 1/', undefined],
    ['-m realm --realm 1', undefined, { table: 'mangle', chain: 'PREROUTING' }],
  ],
}));
