/** Ranges of addresses, as networks of a set make them. */
import type { Range } from '../constraint.js';

function after(value: number | bigint): number | bigint {
  return typeof value === 'bigint' ? value + 1n : value + 1;
}

function before(value: number | bigint): number | bigint {
  return typeof value === 'bigint' ? value - 1n : value - 1;
}

function byStart(a: Range, b: Range): number {
  return a.low < b.low ? -1 : a.low > b.low ? 1 : a.high > b.high ? -1 : a.high < b.high ? 1 : 0;
}

/** Sorted, and those that overlap or touch as one. */
export function joinedRanges(ranges: readonly Range[]): readonly Range[] {
  const out: { low: Range['low']; high: Range['high'] }[] = [];
  for (const { low, high } of [...ranges].sort(byStart)) {
    const last = out.at(-1);
    if (last === undefined || low > after(last.high)) out.push({ low, high });
    else if (high > last.high) last.high = high;
  }
  return out;
}

/** Of networks, which hold one another or share nothing: the addresses whose smallest network is `wanted`. */
export function coveredBy(networks: readonly (Range & { readonly wanted: boolean })[]): readonly Range[] {
  const found: Range[] = [];
  const open: (Range & { readonly wanted: boolean })[] = [];
  let from: Range['low'] = 0;
  const close = (until: Range['high']): void => {
    if (open.at(-1)?.wanted === true && from <= until) found.push({ low: from, high: until });
    from = after(until);
  };
  for (const network of [...networks].sort(byStart)) {
    for (let top = open.at(-1); top !== undefined && top.high < network.low; top = open.at(-1)) {
      close(top.high);
      open.pop();
    }
    if (open.length > 0 && from < network.low) close(before(network.low));
    from = network.low;
    open.push(network);
  }
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    close(top.high);
    open.pop();
  }
  return joinedRanges(found);
}
