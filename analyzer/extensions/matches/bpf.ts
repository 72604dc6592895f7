import { atom, unknown } from '../../packet/constraint.js';
import { fieldReaders } from '../../packet/field-readers.js';
import { runBpf } from '../../packet/run-bpf.js';
import type { Traversal } from '../../packet/traversal.js';
import { bpfBytecode } from '../../values/bpf-bytecode.js';
import { text } from '../../values/text.js';
import { defineMatch, option } from '../define.js';

/** SKF_AD_… of linux/filter.h: what of it is the same on every machine. */
const protocol = 0, packetType = 4, mark = 20, vlanTag = 44, hasVlanTag = 48, random = 56, vlanProtocol = 60;
/** PACKET_LOOPBACK. */
const loopback = 5;

function about({ packet, world }: Traversal, number: number): number | undefined {
  switch (number) {
    case protocol: return packet.family === 'ipv4' ? 0x0800 : 0x86dd;
    // Unlike `-m pkttype`, it sees what came back from the machine itself as such.
    case packetType: return packet.linkType === 'loopback' ? loopback : fieldReaders.pkttype(packet);
    case mark: return packet.mark;
    case vlanTag: case hasVlanTag: case vlanProtocol: return 0;
    case random: return Math.floor(world.random('BPF program') * 2 ** 32);
    default: return undefined;
  }
}

/** @see xt_bpf(8), bpf_mt_check_v1() in net/netfilter/xt_bpf.c. Whether a pinned object exists, only the machine knows. */
export const bpf = defineMatch('bpf', () => ({
  doc: 'Matches packets for which a BPF program says so.',
  options: {
    bytecode: option({
      names: ['--bytecode'], doc: 'a program of classic BPF', value: bpfBytecode, excludes: ['pinned'],
      means: (program, cx) => atom(`bpf ${bpfBytecode.print(program, cx)}`),
    }),
    pinned: option({
      names: ['--object-pinned'], doc: 'path of a program of eBPF in a bpf file system', value: text({ max: 511, name: 'path', bare: true, cut: true }), excludes: ['bytecode'],
      means: path => unknown(`what the BPF object ${path} does`),
    }),
  },
  check: ({ bytecode, pinned }) => bytecode === undefined && pinned === undefined ? '--bytecode or --object-pinned must be given' : undefined,
  matches: ({ bytecode, pinned }) => {
    if (bytecode === undefined) return t => t.unknown(`what the BPF object ${pinned?.value ?? ''} does`);
    return t => {
      const answer = runBpf(bytecode.value, t.packet, number => about(t, number));
      return answer === undefined ? t.unknown('what a BPF program asks about the machine') : answer !== 0;
    };
  },
  arbitrary: (fc, cx) => bpfBytecode.arbitrary(fc, cx).map(words => ['--bytecode', ...words]),
  examples: [
    ['-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"', '='],
    ['-m bpf --bytecode "1, 6 0 256 -1,"', '-m bpf --bytecode "1,6 0 0 4294967295"'],
    ['-m bpf --bytecode "2,6 0 0 1"', undefined],
    ['-m bpf --bytecode "1,1 0 0 0"', undefined],
    ['-m bpf', undefined],
  ],
}));
