import { integer } from '../../values/number.js';
import { tosMask } from '../../values/tos-mask.js';
import type { ValueContext } from '../../values/value.js';
import { defineTarget, option, type OptionDefinition } from '../define.js';

/** One of the ways to say it; all are saved as `--set-tos`. */
function operation(name: `--${string}`, doc: string, value: (bits: number) => number, mask: (bits: number) => number): OptionDefinition<number> {
  const save = (bits: number, cx: ValueContext): string => `--set-tos ${tosMask.print({ value: value(bits), mask: mask(bits) }, cx)}`;
  return option({ names: [name], doc, value: integer(0, 255), excludes: ['set', 'and', 'or', 'xor'], save: (given, cx) => save(given.value, cx) });
}

/** @see tos_tg() in net/netfilter/xt_DSCP.c: the bits of the mask are cleared, then those of the value turned over. */
export const tosTarget = defineTarget('TOS', () => ({
  doc: 'Changes the type-of-service byte, which is DSCP and ECN today.',
  effect: 'continue',
  changes: ['dscp', 'ecn'],
  tables: ['mangle'],
  options: {
    set: option({ names: ['--set-tos'], doc: 'the bits of the mask are set to those of the value', value: tosMask, excludes: ['and', 'or', 'xor'] }),
    and: operation('--and-tos', 'keeps these bits only', () => 0, bits => bits ^ 0xff),
    or: operation('--or-tos', 'sets these bits', bits => bits, bits => bits),
    xor: operation('--xor-tos', 'turns these bits over', bits => bits, () => 0),
  },
  check: given => Object.keys(given).length === 0 ? 'one of --set-tos, --and-tos, --or-tos and --xor-tos must be given' : undefined,
  examples: [
    ['-j TOS --set-tos 0x10/0xff', '=', { table: 'mangle', chain: 'INPUT' }],
    ['-j TOS --set-tos Minimize-Delay', '-j TOS --set-tos 0x10/0x3f', { table: 'mangle', chain: 'INPUT' }],
    ['-j TOS --and-tos 16', '-j TOS --set-tos 0x00/0xef', { table: 'mangle', chain: 'INPUT' }],
    ['-j TOS --xor-tos 0x1', '-j TOS --set-tos 0x01/0x00', { table: 'mangle', chain: 'INPUT' }],
    ['-j TOS --set-tos 256', undefined, { table: 'mangle', chain: 'INPUT' }],
    ['-j TOS --or-tos 1 --xor-tos 2', undefined, { table: 'mangle', chain: 'INPUT' }],
    ['-j TOS --set-tos 1', undefined],
  ],
}));
