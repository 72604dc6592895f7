import { Verdict } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { keyword } from '../../values/keyword.js';
import { macAddress } from '../../values/mac-address.js';
import { integer } from '../../values/number.js';
import { refuse, type Value } from '../../values/value.js';
import { defineTarget, option } from '../define.js';

/** A multicast address: the lowest bit of its first byte is set. Saved in capitals. */
const clusterMac: Value<number> = {
  ...macAddress,
  parse: (words, cx) => {
    const mac = macAddress.parse(words, cx);
    return typeof mac === 'number' && Math.floor(mac / 2 ** 40) % 2 === 0 ? refuse('the address must be a multicast one: its first byte must be odd') : mac;
  },
  print: (mac, cx) => macAddress.print(mac, cx).toUpperCase(),
};

/** @see libipt_CLUSTERIP.c. With one option given, all but --hash-init must be. */
export const clusterip = defineTarget('CLUSTERIP', () => ({
  doc: 'Shares one address among several machines without a load balancer in front of them.',
  families: ['ipv4'],
  effect: 'unknown',
  retired: 'Linux 6.3 removed it; the match cluster took its place',
  options: {
    new: option({ names: ['--new'], doc: 'a new shared address', value: flag }),
    hashmode: option({
      names: ['--hashmode'], doc: 'what decides which machine answers',
      value: keyword({ 'sourceip': 0, 'sourceip-sourceport': 1, 'sourceip-sourceport-destport': 2 }, { name: 'hash mode' }),
    }),
    mac: option({ names: ['--clustermac'], doc: 'the shared Ethernet address', value: clusterMac }),
    nodes: option({ names: ['--total-nodes'], doc: 'how many machines there are', value: integer(0, 16) }),
    node: option({ names: ['--local-node'], doc: 'which of them this one is', value: integer(0, 16) }),
    init: option({ names: ['--hash-init'], doc: 'where the hash starts', value: integer(0, 0xffff_ffff) }),
  },
  check: ({ new: fresh, hashmode, mac, nodes, node, init }) => {
    const all = [fresh, hashmode, mac, nodes, node];
    if (all.includes(undefined) && [...all, init].some(one => one !== undefined)) return '--new, --hashmode, --clustermac, --total-nodes and --local-node must be given together';
    return undefined;
  },
  save: ({ new: fresh, hashmode, mac, nodes, node, init }, cx) => {
    if (fresh === undefined || hashmode === undefined || mac === undefined || nodes === undefined || node === undefined) return '';
    const mode = ['sourceip', 'sourceip-sourceport', 'sourceip-sourceport-destport'][hashmode.value] ?? '';
    return `--new --hashmode ${mode} --clustermac ${clusterMac.print(mac.value, cx)} --total-nodes ${String(nodes.value)} --local-node ${String(node.value)} --hash-init ${String(init?.value ?? 0)}`;
  },
  apply: () => t => t.unknown('what CLUSTERIP did with it, before Linux 6.3 removed it') ? Verdict.Drop : Verdict.Continue,
  examples: [
    ['-j CLUSTERIP', '='],
    ['-j CLUSTERIP --new --hashmode sourceip --clustermac 01:02:3:4:5:ef --total-nodes 4 --local-node 0x2', '-j CLUSTERIP --new --hashmode sourceip --clustermac 01:02:03:04:05:EF --total-nodes 4 --local-node 2 --hash-init 0'],
    ['-j CLUSTERIP --new --hashmode sourceip', undefined],
    ['-j CLUSTERIP --new --hashmode sourceip --clustermac 02:02:03:04:05:06 --total-nodes 4 --local-node 5', undefined],
  ],
}));
