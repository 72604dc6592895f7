/**
 * Searches a region for a packet that gets where a question points, or proves that there is none: takes a corner, follows
 * it, and where it does not get there, puts aside all packets for which the same reasons hold. What is left is cut into
 * smaller regions.
 */
import type { Claim, Region } from './justify.js';

/** A question may take so many packets, and so many look-ups of rules; then it is left undecided. */
export interface Budget {
  cells: number;
  work: number;
}

export function freshBudget(): Budget {
  return { cells: 20_000, work: 2_000_000 };
}

/** What following one packet gives: `found`, or what is put aside. */
export interface Examined {
  readonly found: boolean;
  readonly claim: Claim | undefined;
  readonly work: number;
}

export type Outcome = { readonly kind: 'found'; readonly point: Int32Array } | { readonly kind: 'none' } | { readonly kind: 'undecided' };

/** Proven regions that are remembered, so that overlapping holes are not gone through twice. */
const remembered = 256;

interface Task {
  readonly region: Region;
  /** All of its parts were put on the stack above it: once they are gone, it is proven. */
  readonly split: boolean;
}

export function search(start: Region, budget: Budget, examine: (point: Int32Array, region: Region) => Examined): Outcome {
  const stack: Task[] = [{ region: start, split: false }];
  const proven: Region[] = [];
  for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
    const { region } = task;
    if (task.split) {
      if (proven.length === remembered) proven.shift();
      proven.push(region);
      continue;
    }
    if (proven.some(one => contains(one, region))) continue;
    if (budget.cells-- <= 0 || budget.work <= 0) return { kind: 'undecided' };
    const { found, claim, work } = examine(region.lo, region);
    budget.work -= work + 1;
    if (found) return { kind: 'found', point: region.lo };
    if (claim === undefined) return { kind: 'undecided' };
    const parts = [...outside(region, claim), ...claim.holes];
    if (parts.length > 1) stack.push({ region, split: true });
    for (const part of parts) stack.push({ region: part, split: false });
  }
  return { kind: 'none' };
}

function contains(outer: Region, inner: Region): boolean {
  for (let d = 0; d < inner.lo.length; d++) {
    if ((outer.lo[d] ?? 0) > (inner.lo[d] ?? 0) || (outer.hi[d] ?? 0) < (inner.hi[d] ?? 0)) return false;
  }
  return true;
}

/** What of a region lies outside of a box within it, in disjoint parts. */
function outside(region: Region, box: Region): Region[] {
  const parts: Region[] = [];
  const lo = region.lo.slice();
  const hi = region.hi.slice();
  for (let d = 0; d < lo.length; d++) {
    const [low, high] = [box.lo[d] ?? 0, box.hi[d] ?? 0];
    if (low > (lo[d] ?? 0)) {
      const part = { lo: lo.slice(), hi: hi.slice() };
      part.hi[d] = low - 1;
      parts.push(part);
      lo[d] = low;
    }
    if (high < (hi[d] ?? 0)) {
      const part = { lo: lo.slice(), hi: hi.slice() };
      part.lo[d] = high + 1;
      parts.push(part);
      hi[d] = high;
    }
  }
  return parts;
}

/** The part of a region that lies in one box of a chain; undefined where there is none. */
export function within(region: Region, dims: Int32Array, lo: Int32Array, hi: Int32Array, at: number): Region | undefined {
  const low = region.lo.slice();
  const high = region.hi.slice();
  for (let k = 0; k < dims.length; k++) {
    const d = dims[k] ?? 0;
    low[d] = Math.max(low[d] ?? 0, lo[at + k] ?? 0);
    high[d] = Math.min(high[d] ?? 0, hi[at + k] ?? 0);
    if ((low[d] ?? 0) > (high[d] ?? 0)) return undefined;
  }
  return { lo: low, hi: high };
}
