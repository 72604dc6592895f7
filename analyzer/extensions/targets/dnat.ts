import { flag } from '../../values/flag.js';
import { natRange } from '../../values/nat-range.js';
import { defineTarget, option } from '../define.js';
import { natMapping } from '../nat-mapping.js';
import { natRewrites } from '../nat-rewrites.js';

/** @see xt_nat_target_reg in net/netfilter/xt_nat.c and libxt_NAT.c. */
export const dnat = defineTarget('DNAT', () => ({
  doc: 'Changes where the connection goes to: its destination address, port or both.',
  effect: 'nat',
  changes: ['addresses'],
  tracks: true,
  tables: ['nat'],
  hooks: ['PREROUTING', 'OUTPUT'],
  options: {
    to: option({ names: ['--to-destination'], doc: 'the new address or range, and the new port or range', value: natRange('kept'), required: true }),
    random: option({ names: ['--random'], doc: 'choose the port by chance', value: flag }),
    persistent: option({ names: ['--persistent'], doc: 'the same address for each connection of a client', value: flag }),
  },
  rewrites: (given, cx) => natRewrites(natMapping('destination', given), cx),
  apply: given => {
    const range = natMapping('destination', given);
    return t => t.world.nat(t, range);
  },
  examples: [
    ['-j DNAT --to-destination 10.0.0.1-10.0.0.9', '=', { table: 'nat', chain: 'PREROUTING' }],
    ['-p tcp -j DNAT --persistent --random --to-destination 10.0.0.1:http', '-p tcp -j DNAT --to-destination 10.0.0.1:80 --random --persistent', { table: 'nat', chain: 'PREROUTING' }],
    ['-p udp -j DNAT --to-destination :1000-2000/3000', '=', { table: 'nat', chain: 'OUTPUT' }],
    ['-p tcp -j DNAT --to-destination [fd00::1]:80', '=', { table: 'nat', chain: 'PREROUTING', family: 'ipv6' }],
    ['-j DNAT --to-destination 10.0.0.1:80', undefined, { table: 'nat', chain: 'PREROUTING' }],
    ['-j DNAT --to-destination 10.0.0.1', undefined, { table: 'nat', chain: 'POSTROUTING' }],
  ],
}));
