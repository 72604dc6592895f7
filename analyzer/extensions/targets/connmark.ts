import type { Rewriting } from '../../packet/rewriting.js';
import { Verdict, type Action } from '../../packet/traversal.js';
import { flag } from '../../values/flag.js';
import { hexadecimal, markMask } from '../../values/mark-mask.js';
import { integer } from '../../values/number.js';
import { defineTarget, option, type OrderedOption, type RuleContext } from '../define.js';
import { markBits, markOperation } from '../mark-operation.js';
import { tracked } from '../tracked.js';

const operations = ['setXmark', 'setMark', 'andMark', 'orMark', 'xorMark', 'saveMark', 'restoreMark'] as const;
const bits = integer(0, 0xffff_ffff, { hex: true });
/** The tool takes 32 as well, the kernel does not. */
const shift = integer(0, 31);

function others(key: typeof operations[number]): readonly string[] {
  return operations.filter(one => one !== key);
}

interface ConnmarkSettings {
  readonly mode: 'set-xmark' | 'save-mark' | 'restore-mark';
  readonly mark: number;
  readonly ctmask: number;
  readonly nfmask: number;
  /** To the left; to the right where it is negative. */
  readonly shift: number;
}

/** Options write into the same fields one after the other: `--set-mark 1 --ctmask 3` is `--set-xmark 1/3`. */
function settings(ordered: readonly OrderedOption[]): ConnmarkSettings {
  const all = 0xffff_ffff;
  const result: { -readonly [K in keyof ConnmarkSettings]: ConnmarkSettings[K] } = { mode: 'set-xmark', mark: 0, ctmask: all, nfmask: all, shift: 0 };
  for (const { key, value } of ordered) {
    const operation = markOperation(key, value);
    if (operation !== undefined) {
      result.mode = 'set-xmark';
      ({ mark: result.mark, mask: result.ctmask } = operation);
    } else if (key === 'saveMark') result.mode = 'save-mark';
    else if (key === 'restoreMark') result.mode = 'restore-mark';
    else if (typeof value === 'number') {
      if (key === 'ctmask' || key === 'mask') result.ctmask = value;
      if (key === 'nfmask' || key === 'mask') result.nfmask = value;
      if (key === 'left' || key === 'right') result.shift = key === 'left' ? value : -value;
    }
  }
  return result;
}

function words(ordered: readonly OrderedOption[]): string {
  const { mode, mark, ctmask, nfmask, shift: by } = settings(ordered);
  const shifted = by === 0 ? '' : ` --${by > 0 ? 'left' : 'right'}-shift-mark ${String(Math.abs(by))}`;
  const masks = mode === 'set-xmark' ? `${hexadecimal(mark)}/${hexadecimal(ctmask)}` : `--nfmask ${hexadecimal(nfmask)} --ctmask ${hexadecimal(ctmask)}`;
  return `--${mode} ${masks}${shifted}`;
}

function shifted(mark: number, by: number): number {
  return (by < 0 ? mark >>> -by : mark << by) >>> 0;
}

/** @see connmark_tg_shift(): the mask is applied before the shift. */
function apply(ordered: readonly OrderedOption[]): Action {
  const { mode, mark, ctmask, nfmask, shift: by } = settings(ordered);
  return ({ packet }) => {
    const { connection } = packet;
    if (connection === undefined) return Verdict.Continue;
    if (mode === 'set-xmark') connection.mark = shifted((connection.mark & ~ctmask) ^ mark, by);
    else if (mode === 'save-mark') connection.mark = ((connection.mark & ~ctmask) ^ shifted(packet.mark & nfmask, by)) >>> 0;
    else packet.mark = ((packet.mark & ~nfmask) ^ shifted(connection.mark & ctmask, by)) >>> 0;
    return Verdict.Continue;
  };
}

/** In raw a packet has a connection of its own only where it came in by lo, and else perhaps the template of a CT rule, which is not kept. */
function rewrites({ ordered, table }: RuleContext): readonly Rewriting[] {
  const { mode, mark, ctmask, nfmask, shift: by } = settings(ordered);
  const field = mode === 'restore-mark' ? 'mark' : 'connmark';
  if (table === 'raw' || by !== 0) return [{ kind: 'unknown', field }];
  switch (mode) {
    case 'set-xmark': return markBits(field, { mark, mask: ctmask }).map(one => ({ ...one, where: tracked }));
    case 'save-mark': return [{ kind: 'copy', from: 'mark', fromMask: nfmask, to: 'connmark', toMask: ctmask, where: tracked }];
    case 'restore-mark': return [{ kind: 'copy', from: 'connmark', fromMask: ctmask, to: 'mark', toMask: nfmask, where: tracked }];
  }
}

/** @see connmark_tg_shift() in net/netfilter/xt_connmark.c and libxt_CONNMARK.c. */
export const connmarkTarget = defineTarget('CONNMARK', () => ({
  doc: 'Sets the mark of the connection, or copies it from or to the packet.',
  usesOrder: true,
  tracks: true,
  effect: 'continue',
  changes: ['mark', 'connmark'],
  options: {
    setXmark: option({ names: ['--set-xmark'], doc: 'clear the bits of the mask and flip those of the value', value: markMask, excludes: others('setXmark') }),
    setMark: option({ names: ['--set-mark'], doc: 'clear the bits of the mask and set those of the value', value: markMask, excludes: others('setMark') }),
    andMark: option({ names: ['--and-mark'], doc: 'keep only these bits', value: bits, excludes: others('andMark') }),
    orMark: option({ names: ['--or-mark'], doc: 'set these bits', value: bits, excludes: others('orMark') }),
    xorMark: option({ names: ['--xor-mark'], doc: 'flip these bits', value: bits, excludes: others('xorMark') }),
    saveMark: option({ names: ['--save-mark'], doc: 'copy from the packet to the connection', value: flag, excludes: others('saveMark') }),
    restoreMark: option({ names: ['--restore-mark'], doc: 'copy from the connection to the packet', value: flag, excludes: others('restoreMark') }),
    left: option({ names: ['--left-shift-mark'], doc: 'shift the result to the left by so many bits', value: shift }),
    right: option({ names: ['--right-shift-mark'], doc: 'shift the result to the right by so many bits', value: shift }),
    ctmask: option({ names: ['--ctmask'], doc: 'the bits of the connection’s mark that count', value: bits, excludes: ['mask'] }),
    nfmask: option({ names: ['--nfmask'], doc: 'the bits of the packet’s mark that count', value: bits, excludes: ['mask'] }),
    mask: option({ names: ['--mask'], doc: 'the bits of both marks that count', value: bits, excludes: ['ctmask', 'nfmask'] }),
  },
  check: given => operations.every(key => given[key] === undefined) ? 'one of --set-xmark, --set-mark, --and-mark, --or-mark, --xor-mark, --save-mark and --restore-mark must be given' : undefined,
  save: (_, { ordered }) => words(ordered),
  rewrites: (_, cx) => rewrites(cx),
  apply: (_, { ordered }) => apply(ordered),
  examples: [
    ['-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xffffffff', '=', { table: 'mangle', chain: 'PREROUTING' }],
    ['-j CONNMARK --restore-mark --mask 7 --left-shift-mark 3', '-j CONNMARK --restore-mark --nfmask 0x7 --ctmask 0x7 --left-shift-mark 3', { table: 'mangle', chain: 'PREROUTING' }],
    ['-j CONNMARK --set-mark 1/2', '-j CONNMARK --set-xmark 0x1/0x3', { table: 'mangle', chain: 'PREROUTING' }],
    ['-j CONNMARK --set-xmark 1/2 --ctmask 5', '-j CONNMARK --set-xmark 0x1/0x5', { table: 'mangle', chain: 'PREROUTING' }],
    ['-j CONNMARK --save-mark --left-shift-mark 32', undefined, { table: 'mangle', chain: 'PREROUTING' }],
    ['-j CONNMARK --ctmask 5', undefined, { table: 'mangle', chain: 'PREROUTING' }],
  ],
}));
