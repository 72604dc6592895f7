import type { Field, Range } from '../packet/constraint.js';
import type { Rewriting } from '../packet/rewriting.js';

/** Values in ascending order as ranges without gaps. */
function rangesOf(values: readonly number[]): readonly Range[] {
  const ranges: { readonly low: number; high: number }[] = [];
  for (const value of values) {
    const last = ranges.at(-1);
    if (last?.high === value - 1) last.high = value;
    else ranges.push({ low: value, high: value });
  }
  return ranges;
}

/** What a change makes of a field of a few bits, as data: every value that can come out; empty where it changes nothing. */
export function fieldImage(field: Field, bits: number, change: (value: number) => number): readonly Rewriting[] {
  const before = Array.from({ length: 2 ** bits }, (_, value) => value);
  if (before.every(value => change(value) === value)) return [];
  return [{ kind: 'within', field, ranges: rangesOf([...new Set(before.map(change))].sort((a, b) => a - b)) }];
}
