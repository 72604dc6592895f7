import { Verdict } from '../../packet/traversal.js';
import { hexadecimal, markMask, type MarkMask } from '../../values/mark-mask.js';
import { integer } from '../../values/number.js';
import { defineTarget, option, type OrderedOption } from '../define.js';
import { markBits, markOperation, type MarkOperation } from '../mark-operation.js';

const operations = ['setXmark', 'setMark', 'andMark', 'orMark', 'xorMark'] as const;
const bits = integer(0, 0xffff_ffff);

function others(key: MarkOperation): readonly string[] {
  return operations.filter(one => one !== key);
}

/** The option that was given last counts. */
function operationOf(ordered: readonly OrderedOption[]): MarkMask {
  return ordered.flatMap(({ key, value }) => markOperation(key, value) ?? []).at(-1) ?? { mark: 0, mask: 0 };
}

/** @see mark_tg() in net/netfilter/xt_mark.c; every operation is saved as --set-xmark (libxt_MARK.c). */
export const markTarget = defineTarget('MARK', () => ({
  doc: 'Sets the mark of the packet, by which routing, traffic control and later rules may tell it.',
  usesOrder: true,
  effect: 'continue',
  changes: ['mark'],
  options: {
    setXmark: option({ names: ['--set-xmark'], doc: 'clear the bits of the mask and flip those of the value', value: markMask, excludes: others('setXmark') }),
    setMark: option({ names: ['--set-mark'], doc: 'clear the bits of the mask and set those of the value', value: markMask, excludes: others('setMark') }),
    andMark: option({ names: ['--and-mark'], doc: 'keep only these bits', value: bits, excludes: others('andMark') }),
    orMark: option({ names: ['--or-mark'], doc: 'set these bits', value: bits, excludes: others('orMark') }),
    xorMark: option({ names: ['--xor-mark'], doc: 'flip these bits', value: bits, excludes: others('xorMark') }),
  },
  check: given => Object.keys(given).length === 0 ? 'one of --set-xmark, --set-mark, --and-mark, --or-mark and --xor-mark must be given' : undefined,
  save: (_, { ordered }) => ordered.map(({ key, value }) => {
    const operation = markOperation(key, value);
    return operation === undefined ? '' : `--set-xmark ${hexadecimal(operation.mark)}/${hexadecimal(operation.mask)}`;
  }).join(' '),
  rewrites: (_, { ordered }) => markBits('mark', operationOf(ordered)),
  apply: (_, { ordered }) => {
    const { mark, mask } = operationOf(ordered);
    return ({ packet }) => {
      packet.mark = ((packet.mark & ~mask) ^ mark) >>> 0;
      return Verdict.Continue;
    };
  },
  examples: [
    ['-j MARK --set-xmark 0x1/0xff', '=', { table: 'mangle', chain: 'PREROUTING' }],
    ['-j MARK --set-mark 1', '-j MARK --set-xmark 0x1/0xffffffff', { table: 'mangle', chain: 'PREROUTING' }],
    ['-j MARK --set-mark 1/2', '-j MARK --set-xmark 0x1/0x3', { table: 'mangle', chain: 'PREROUTING' }],
    ['-j MARK --and-mark 0x3', '-j MARK --set-xmark 0x0/0xfffffffc', { table: 'mangle', chain: 'PREROUTING' }],
    ['-j MARK --set-mark 1/', undefined, { table: 'mangle', chain: 'PREROUTING' }],
    ['-j MARK --set-mark 1 --or-mark 2', undefined, { table: 'mangle', chain: 'PREROUTING' }],
  ],
}));
