import { all, always, is, not } from '../../packet/constraint.js';
import type { Rewriting } from '../../packet/rewriting.js';
import { Verdict } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { natPorts } from '../../values/nat-range.js';
import { defineTarget, option } from '../define.js';
import { natMapping } from '../nat-mapping.js';
import { natPortRewrites } from '../nat-rewrites.js';

/** Only IPv4 spares the unspecified address (nf_nat_masquerade_ipv4()). */
const hasSource = not(is('src', 0));

/**
 * @see masquerade_tg_reg in net/netfilter/xt_MASQUERADE.c and libxt_NAT.c; a shifted range (`80-90/5`) is taken and saved as `/0`.
 * `rewrites` does not tell of the source port that changes because another connection has the tuple.
 */
export const masquerade = defineTarget('MASQUERADE', () => ({
  doc: 'Gives the connection the address of the interface through which it leaves as its source.',
  effect: 'nat',
  changes: ['addresses'],
  tracks: true,
  tables: ['nat'],
  hooks: ['POSTROUTING'],
  options: {
    ports: option({ names: ['--to-ports'], doc: 'source ports to choose from', value: natPorts('lost') }),
    random: option({ names: ['--random'], doc: 'choose the port by chance', value: flag }),
    fully: option({ names: ['--random-fully'], doc: 'choose the port wholly by chance', value: flag }),
  },
  rewrites: (given, cx) => {
    const written: readonly Rewriting[] = [{ kind: 'local', field: 'src' }, ...natPortRewrites(natMapping('source', given), cx)];
    return cx.family === 'ipv6' ? written : written.map(({ where = always, ...one }) => ({ ...one, where: all([hasSource, where]) }));
  },
  apply: given => {
    const range = natMapping('source', given);
    return t => {
      const { packet, world } = t;
      const { connection } = packet;
      // Sent before it had an address, as DHCP does: it is meant to have none.
      if (connection === undefined || connection.original.src === 0) return Verdict.Accept;
      const address = world.sourceAddress(packet.out, packet.dst);
      if (address === undefined) {
        t.note(`${packet.out} has no address to masquerade behind`);
        return Verdict.Drop;
      }
      connection.masqueradeInterface = packet.out;
      return world.nat(t, { ...range, minAddress: address, maxAddress: address });
    };
  },
  examples: [
    ['-j MASQUERADE', '=', { table: 'nat', chain: 'POSTROUTING' }],
    ['-p tcp -j MASQUERADE --random-fully --to-ports 1024-0xffff', '-p tcp -j MASQUERADE --to-ports 1024-65535 --random-fully', { table: 'nat', chain: 'POSTROUTING' }],
    ['-j MASQUERADE --to-ports 1024', undefined, { table: 'nat', chain: 'POSTROUTING' }],
    ['-p tcp -j MASQUERADE --to-ports 2000-1000', undefined, { table: 'nat', chain: 'POSTROUTING' }],
    ['-j MASQUERADE', undefined, { table: 'nat', chain: 'PREROUTING' }],
  ],
}));
