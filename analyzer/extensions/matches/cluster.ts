import { all, always, atom, ctstates, not, oneOf } from '../../packet/constraint.js';
import { addressWords } from '../../packet/address-words.js';
import { jhash, littleEndian, scaled } from '../../packet/jhash.js';
import type { Packet } from '../../packet/packet.js';
import { integer } from '../../values/number.js';
import { defineMatch, option, type Given } from '../define.js';

const maxNodes = 32;

interface ClusterGiven {
  readonly total?: Given<number>;
  readonly node?: Given<number>;
  readonly mask?: Given<number>;
  readonly seed?: Given<number>;
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

/** The nodes that are meant, as bits; and whether they are negated. */
function nodes({ node, mask }: ClusterGiven): Given<number> {
  if (node !== undefined) return { negated: node.negated, value: (1 << (node.value - 1)) >>> 0 };
  return mask ?? { negated: false, value: 0 };
}

/** What is hashed: of an IPv6 address no more than its first 32 bits (NF_CT_TUPLE_L3SIZE counts words, and is taken for bytes). */
function hashedWord(address: number | bigint): number {
  return littleEndian(typeof address === 'number' ? address : addressWords(address)[0]);
}

/** Nodes share a multicast MAC address, and a packet that came to it would not be taken by TCP: the match makes a unicast of it. */
function restoreLinkType(packet: Packet): void {
  if (packet.linkType !== 'multicast') return;
  const isMulticast = packet.family === 'ipv4' ? packet.u8(16) >> 4 === 14 : packet.u8(24) === 0xff;
  if (!isMulticast) packet.linkType = 'unicast';
}

/**
 * @see xt_cluster_mt() in net/netfilter/xt_cluster.c. A packet that is not tracked never matches, not even negated.
 * A node is saved as a mask, and a mask above 32 is refused when it is loaded again: nodes above 6 cannot be saved and restored.
 */
export const cluster = defineMatch('cluster', () => ({
  doc: 'Spreads connections over the nodes of a cluster: matches those that fall to this node.',
  tracks: true,
  options: {
    total: option({ names: ['--cluster-total-nodes'], doc: 'number of nodes', value: integer(1, maxNodes), required: true, means: () => always }),
    node: option({ names: ['--cluster-local-node'], doc: 'this node', value: integer(1, maxNodes), negatable: true, excludes: ['mask'] }),
    mask: option({ names: ['--cluster-local-nodemask'], doc: 'several nodes, as bits', value: integer(1, maxNodes), negatable: true, excludes: ['node'] }),
    seed: option({ names: ['--cluster-hash-seed'], doc: 'seed of the hash', value: integer(0, 0xffff_ffff), required: true, means: () => always }),
  },
  check: given => {
    if (given.node === undefined && given.mask === undefined) return '--cluster-local-node or --cluster-local-nodemask must be given';
    const total = given.total?.value ?? 0;
    return nodes(given).value < 2 ** total ? undefined : `--cluster-total-nodes is ${String(total)}: there is no such node`;
  },
  save: given => {
    const { negated, value } = nodes(given);
    return `${negated ? '! ' : ''}--cluster-local-nodemask ${hex(value)} --cluster-total-nodes ${String(given.total?.value)} --cluster-hash-seed ${hex(given.seed?.value ?? 0)}`;
  },
  means: given => {
    const { negated, value } = nodes(given);
    const mine = atom(`cluster ${String(given.total?.value)} ${hex(given.seed?.value ?? 0)} ${hex(value)}`);
    const tracked = not(oneOf('ctstate', [ctstates.INVALID, ctstates.UNTRACKED]));
    return all([tracked, negated ? not(mine) : mine]);
  },
  matches: given => {
    const { negated, value } = nodes(given);
    const [total, seed] = [given.total?.value ?? 1, given.seed?.value ?? 0];
    return t => {
      restoreLinkType(t.packet);
      const { connection } = t.packet;
      if (connection === undefined) return false;
      const node = scaled(jhash([hashedWord((connection.master ?? connection).original.src)], seed), total);
      return ((value >>> node) & 1) !== (negated ? 1 : 0);
    };
  },
  arbitrary: (fc, cx) => fc.integer({ min: 1, max: maxNodes }).chain(total => fc.tuple(
    fc.oneof(
      integer(1, total).arbitrary(fc, cx).map(words => ['--cluster-local-node', ...words]),
      integer(1, total < 6 ? 2 ** total - 1 : maxNodes).arbitrary(fc, cx).map(words => ['--cluster-local-nodemask', ...words]),
    ).chain(words => fc.constantFrom(words, ['!', ...words])),
    integer(0, 0xffff_ffff).arbitrary(fc, cx).map(words => ['--cluster-hash-seed', ...words]),
    fc.constant(['--cluster-total-nodes', String(total)]),
  ).chain(parts => fc.shuffledSubarray(parts, { minLength: 3 })).map(parts => parts.flat())),
  examples: [
    ['-m cluster --cluster-total-nodes 2 --cluster-local-node 2 --cluster-hash-seed 0xfeedcafe', '-m cluster --cluster-local-nodemask 0x00000002 --cluster-total-nodes 2 --cluster-hash-seed 0xfeedcafe'],
    ['-m cluster ! --cluster-local-nodemask 0x00000003 --cluster-total-nodes 4 --cluster-hash-seed 0x00000001', '='],
    ['-m cluster --cluster-total-nodes 2 --cluster-local-node 3 --cluster-hash-seed 1', undefined],
    ['-m cluster --cluster-total-nodes 32 --cluster-local-nodemask 33 --cluster-hash-seed 1', undefined],
    ['-m cluster --cluster-total-nodes 2 --cluster-local-node 2', undefined],
  ],
}));
