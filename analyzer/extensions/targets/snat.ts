import { flag } from '../../values/flag.js';
import { natRange } from '../../values/nat-range.js';
import { defineTarget, option } from '../define.js';
import { natMapping } from '../nat-mapping.js';
import { natRewrites } from '../nat-rewrites.js';

/** @see xt_snat_target_v1() in net/netfilter/xt_nat.c. A shifted range (`/port`) loses its port and is saved as `/0`. `rewrites` does not tell of the source port that changes because another connection has the tuple. */
export const snat = defineTarget('SNAT', () => ({
  doc: 'Rewrites the source address, or the source port, of all packets of the connection.',
  effect: 'nat',
  changes: ['addresses'],
  tracks: true,
  tables: ['nat'],
  hooks: ['INPUT', 'POSTROUTING'],
  options: {
    to: option({ names: ['--to-source'], doc: 'the new source', value: natRange('lost'), required: true }),
    random: option({ names: ['--random'], doc: 'the port is chosen at random', value: flag }),
    fully: option({ names: ['--random-fully'], doc: 'the port is chosen wholly at random', value: flag }),
    persistent: option({ names: ['--persistent'], doc: 'a client gets the same address each time', value: flag }),
  },
  rewrites: (given, cx) => natRewrites(natMapping('source', given), cx),
  apply: given => {
    const range = natMapping('source', given);
    return t => t.world.nat(t, range);
  },
  examples: [
    ['-j SNAT --to-source 192.0.2.1-192.0.2.9 --random --random-fully --persistent', '=', { table: 'nat', chain: 'POSTROUTING' }],
    ['-p tcp -j SNAT --persistent --to-source 192.0.2.1:0x400-2000', '-p tcp -j SNAT --to-source 192.0.2.1:1024-2000 --persistent', { table: 'nat', chain: 'INPUT' }],
    ['-p tcp -j SNAT --to-source [2001:db8::1-2001:db8::9]:80', '=', { table: 'nat', chain: 'POSTROUTING', family: 'ipv6' }],
    ['-j SNAT --to-source [2001:DB8::1]', '-j SNAT --to-source 2001:db8::1', { table: 'nat', chain: 'POSTROUTING', family: 'ipv6' }],
    ['-j SNAT --to-source 192.0.2.1:80', undefined, { table: 'nat', chain: 'POSTROUTING' }],
    ['-p tcp -j SNAT --to-source 192.0.2.1:80:90', undefined, { table: 'nat', chain: 'POSTROUTING' }],
    ['-j SNAT', undefined, { table: 'nat', chain: 'POSTROUTING' }],
    ['-j SNAT --to-source 192.0.2.1', undefined, { table: 'nat', chain: 'PREROUTING' }],
  ],
}));
