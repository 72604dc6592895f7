import { atom, unknown } from '../../packet/constraint.js';
import { bpfBytecode } from '../../values/bpf-bytecode.js';
import { text } from '../../values/text.js';
import { defineMatch, option } from '../define.js';

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
  arbitrary: (fc, cx) => bpfBytecode.arbitrary(fc, cx).map(words => ['--bytecode', ...words]),
  examples: [
    ['-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"', '='],
    ['-m bpf --bytecode "1, 6 0 256 -1,"', '-m bpf --bytecode "1,6 0 0 4294967295"'],
    ['-m bpf --bytecode "2,6 0 0 1"', undefined],
    ['-m bpf --bytecode "1,1 0 0 0"', undefined],
    ['-m bpf', undefined],
  ],
}));
