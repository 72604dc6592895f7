/** Which elements of two lists stay in the same order: what is left over was put in, taken out, or moved. */

export interface Alignment {
  /** Of each element of the first list: the place in the second of the one that it is; -1 where it is gone. */
  readonly partner: Int32Array;
  /** 1 where it also stands in the same order as all others of which that is said. */
  readonly kept: Uint8Array;
}

/**
 * Aligns two lists of keys. Equal keys belong together in their order; of these pairs, a longest list that does not cross is
 * kept (patience sorting: O(n log n)). What both lists begin and end with is kept in any case.
 */
export function align(a: readonly string[], b: readonly string[]): Alignment {
  const partner = new Int32Array(a.length).fill(-1);
  const kept = new Uint8Array(a.length);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) keep(start, start++);
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) keep(--endA, --endB);
  pair(a, b, { start, endA, endB }, partner);
  for (const at of longestRising(partner, start, endA)) kept[at] = 1;
  return { partner, kept };

  function keep(i: number, j: number): void {
    partner[i] = j;
    kept[i] = 1;
  }
}

interface Middle { readonly start: number; readonly endA: number; readonly endB: number }

function pair(a: readonly string[], b: readonly string[], { start, endA, endB }: Middle, partner: Int32Array): void {
  const places = new Map<string, number[]>();
  for (let j = endB - 1; j >= start; j--) {
    const known = places.get(b[j] ?? '');
    if (known === undefined) places.set(b[j] ?? '', [j]);
    else known.push(j);
  }
  for (let i = start; i < endA; i++) partner[i] = places.get(a[i] ?? '')?.pop() ?? -1;
}

/** The places of a longest rising sequence of values; negative ones do not count. */
function longestRising(values: Int32Array, from: number, to: number): number[] {
  const tails: number[] = [];
  const before = new Int32Array(values.length).fill(-1);
  for (let i = from; i < to; i++) {
    const value = values[i] ?? -1;
    if (value < 0) continue;
    let [low, high] = [0, tails.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((values[tails[middle] ?? 0] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    before[i] = tails[low - 1] ?? -1;
    tails[low] = i;
  }
  const out: number[] = [];
  for (let i = tails.at(-1) ?? -1; i >= 0; i = before[i] ?? -1) out.push(i);
  return out;
}
