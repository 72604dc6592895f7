import { rewriteTos } from '../../packet/rewrite.js';
import { Verdict } from '../../packet/traversal.js';
import { integer } from '../../values/number.js';
import { tosMask, type TosMask } from '../../values/tos-mask.js';
import type { ValueContext } from '../../values/value.js';
import { defineTarget, option, type Given, type OptionDefinition } from '../define.js';
import { fieldImage } from '../field-image.js';

/** Clears the bits of the mask, then turns over those of the value. */
const changes = {
  and: (bits: number): TosMask => ({ value: 0, mask: bits ^ 0xff }),
  or: (bits: number): TosMask => ({ value: bits, mask: bits }),
  xor: (bits: number): TosMask => ({ value: bits, mask: 0 }),
};

/** One of the ways to say it; all are saved as `--set-tos`. */
function operation(name: `--${string}`, doc: string, change: (bits: number) => TosMask): OptionDefinition<number> {
  const save = (bits: number, cx: ValueContext): string => `--set-tos ${tosMask.print(change(bits), cx)}`;
  return option({ names: [name], doc, value: integer(0, 255), excludes: ['set', 'and', 'or', 'xor'], save: (given, cx) => save(given.value, cx) });
}

interface TosOptions {
  readonly set?: Given<TosMask>;
  readonly and?: Given<number>;
  readonly or?: Given<number>;
  readonly xor?: Given<number>;
}

function changeOf({ set, and, or, xor }: TosOptions): TosMask {
  return set?.value ?? (and !== undefined ? changes.and(and.value) : or !== undefined ? changes.or(or.value) : changes.xor(xor?.value ?? 0));
}

/** @see tos_tg() in net/netfilter/xt_DSCP.c: the bits of the mask are cleared, then those of the value turned over. */
export const tosTarget = defineTarget('TOS', () => ({
  doc: 'Changes the type-of-service byte, which is DSCP and ECN today.',
  effect: 'continue',
  changes: ['dscp', 'ecn'],
  tables: ['mangle'],
  options: {
    set: option({ names: ['--set-tos'], doc: 'the bits of the mask are set to those of the value', value: tosMask, excludes: ['and', 'or', 'xor'] }),
    and: operation('--and-tos', 'keeps these bits only', changes.and),
    or: operation('--or-tos', 'sets these bits', changes.or),
    xor: operation('--xor-tos', 'turns these bits over', changes.xor),
  },
  check: given => Object.keys(given).length === 0 ? 'one of --set-tos, --and-tos, --or-tos and --xor-tos must be given' : undefined,
  rewrites: given => {
    const { value, mask } = changeOf(given);
    return [...fieldImage('dscp', 6, dscp => (dscp & ~(mask >> 2)) ^ (value >> 2)), ...fieldImage('ecn', 2, ecn => (ecn & ~(mask & 3)) ^ (value & 3))];
  },
  apply: given => {
    const { value, mask } = changeOf(given);
    return ({ packet }) => {
      rewriteTos(packet, (packet.tos & ~mask) ^ value);
      return Verdict.Continue;
    };
  },
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
