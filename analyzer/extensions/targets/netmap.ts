import { Verdict, type NatRange } from '../../packet/traversal.js';
import { maskAddress, prefixMask, printAddress } from '../../values/address.js';
import { hostMask } from '../../values/host-mask.js';
import { defineTarget, option, type Hook } from '../define.js';

/** @see netmap_tg4(): before routing it is the destination that is mapped, behind it the source. */
function isForDestination(hook: Hook): boolean {
  return hook === 'PREROUTING' || hook === 'OUTPUT';
}

/** @see netmap_tg_reg in net/netfilter/xt_NETMAP.c; a mask with holes counts as one of all ones (libxtables/xtoptions.c). */
export const netmap = defineTarget('NETMAP', () => ({
  doc: 'Maps a whole network to another one of the same size, host by host.',
  effect: 'nat',
  changes: ['addresses'],
  tracks: true,
  tables: ['nat'],
  hooks: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  options: {
    to: option({
      names: ['--to'], doc: 'the network that it is mapped to', value: hostMask, required: true,
      save: ({ value: { address, length } }, { family }) => `--to ${printAddress(maskAddress(address, prefixMask(length, family)))}/${String(length)}`,
    }),
  },
  rewrites: ({ to }, { family, hook }) => {
    if (to === undefined) return [];
    const mask = prefixMask(to.value.length, family);
    return [{ kind: 'network', field: isForDestination(hook) ? 'dst' : 'src', address: maskAddress(to.value.address, mask), mask }];
  },
  apply: ({ to }, { family }) => {
    if (to === undefined) return () => Verdict.Accept;
    const mask = prefixMask(to.value.length, family);
    const network = { minAddress: maskAddress(to.value.address, mask), netmapMask: mask };
    const destination: NatRange = { side: 'destination', ...network }, source: NatRange = { side: 'source', ...network };
    return t => t.world.nat(t, isForDestination(t.hook) ? destination : source);
  },
  examples: [
    ['-j NETMAP --to 10.1.2.0/24', '=', { table: 'nat', chain: 'PREROUTING' }],
    ['-j NETMAP --to 10.1.2.3/255.255.0.0', '-j NETMAP --to 10.1.0.0/16', { table: 'nat', chain: 'PREROUTING' }],
    ['-j NETMAP --to 10.1.2.3', '-j NETMAP --to 10.1.2.3/32', { table: 'nat', chain: 'OUTPUT' }],
    ['-j NETMAP --to 10.1.2.3/255.0.255.0', '-j NETMAP --to 10.1.2.3/32', { table: 'nat', chain: 'OUTPUT' }],
    ['-j NETMAP --to fd00::1/64', '-j NETMAP --to fd00::/64', { table: 'nat', chain: 'PREROUTING', family: 'ipv6' }],
    ['-j NETMAP --to fd00::1/129', undefined, { table: 'nat', chain: 'PREROUTING', family: 'ipv6' }],
  ],
}));
