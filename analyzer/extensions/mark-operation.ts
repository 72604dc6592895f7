/** What the options that MARK and CONNMARK have in common do to a mark. */
import type { MarkField, Rewriting } from '../packet/rewriting.js';
import type { MarkMask } from '../values/mark-mask.js';

export type MarkOperation = 'setXmark' | 'setMark' | 'andMark' | 'orMark' | 'xorMark';

function isMarkMask(value: unknown): value is MarkMask {
  return typeof value === 'object' && value !== null && 'mark' in value && 'mask' in value;
}

/** Clears the bits of `mask`, then flips those of `mark`; undefined where `key` is no such option. */
export function markOperation(key: string, value: unknown): MarkMask | undefined {
  if (isMarkMask(value)) {
    if (key === 'setXmark') return value;
    if (key === 'setMark') return { mark: value.mark, mask: (value.mark | value.mask) >>> 0 };
  }
  if (typeof value !== 'number') return undefined;
  if (key === 'andMark') return { mark: 0, mask: ~value >>> 0 };
  if (key === 'orMark') return { mark: value, mask: value };
  return key === 'xorMark' ? { mark: value, mask: 0 } : undefined;
}

/** The same as data; empty where it changes nothing. */
export function markBits(field: MarkField, { mark, mask }: MarkMask): readonly Rewriting[] {
  return mark === 0 && mask === 0 ? [] : [{ kind: 'bits', field, value: mark, mask }];
}
