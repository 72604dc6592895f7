/** Sets of integers as sorted, disjoint intervals: `[low, high, low, high, …]`, inclusive at both ends. */
export type Intervals = readonly number[];

/** What lies in both sets. */
export function intersect(a: Intervals, b: Intervals): number[] {
  const out: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const low = Math.max(a[i] ?? 0, b[j] ?? 0);
    const high = Math.min(a[i + 1] ?? 0, b[j + 1] ?? 0);
    if (low <= high) out.push(low, high);
    if ((a[i + 1] ?? 0) < (b[j + 1] ?? 0)) i += 2;
    else j += 2;
  }
  return out;
}

/** What lies in the first set, and not in the second. */
export function less(a: Intervals, b: Intervals): number[] {
  const others: number[] = [];
  let from = -Infinity;
  for (let i = 0; i < b.length; i += 2) {
    others.push(from, (b[i] ?? 0) - 1);
    from = (b[i + 1] ?? 0) + 1;
  }
  return intersect(a, [...others, from, Infinity]);
}

/** Sorts intervals and joins those that touch. */
export function merge(list: readonly (readonly [number, number])[]): number[] {
  const out: number[] = [];
  for (const [low, high] of [...list].sort((x, y) => x[0] - y[0])) {
    const last = out.length - 1;
    if (last > 0 && low <= (out[last] ?? 0) + 1) out[last] = Math.max(out[last] ?? 0, high);
    else out.push(low, high);
  }
  return out;
}

/** Whether an integer from `low` to `high` is in the set. */
export function overlaps(intervals: Intervals, low: number, high: number): boolean {
  let [from, to] = [0, intervals.length / 2];
  // The first interval that does not end before `low`.
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((intervals[2 * middle + 1] ?? 0) < low) from = middle + 1;
    else to = middle;
  }
  return (intervals[2 * from] ?? Infinity) <= high;
}
