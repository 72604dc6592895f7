/**
 * Searches a region for a packet that gets where a question points, or proves that there is none: takes a corner, follows
 * it, and where it does not get there, puts aside all packets for which the same reasons hold. What is left is cut into
 * smaller regions.
 */
import { contains, outside, partIn, type Region } from './boxes.js';
import type { Claim, Hole } from './justify.js';

/** A question may take so many packets, and so many look-ups of rules; then it is left undecided. */
export interface Budget {
  cells: number;
  work: number;
}

export function freshBudget(): Budget {
  return { cells: 20_000, work: 1_000_000 };
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

/** Either a region, or the part of one in a box. */
interface Task {
  readonly region: Region;
  readonly hole: Hole | undefined;
  /** All of its parts were put on the stack above it: once they are gone, it is proven. */
  readonly split: boolean;
}

export function search(start: Region, budget: Budget, examine: (point: Int32Array, region: Region) => Examined): Outcome {
  const stack: Task[] = [{ region: start, hole: undefined, split: false }];
  const proven: Region[] = [];
  for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
    const region = task.hole === undefined ? task.region : partIn(task.region, task.hole.boxes, task.hole.box);
    if (region === undefined) continue;
    if (task.split) {
      if (proven.length === remembered) proven.shift();
      proven.push(region);
      continue;
    }
    if (proven.some(one => contains(one, region))) continue;
    if (budget.cells-- <= 0 || budget.work <= 0) return { kind: 'undecided' };
    const { found, claim, work } = examine(region.lo, region);
    // To derive a claim costs about as much as to follow the packet.
    budget.work -= (found ? 1 : 2) * (work + 1) + (claim?.holes.length ?? 0);
    if (found) return { kind: 'found', point: region.lo };
    if (claim === undefined) return { kind: 'undecided' };
    const parts = outside(region, claim);
    if (parts.length + claim.holes.length > 1) stack.push({ region, hole: undefined, split: true });
    for (const part of parts) stack.push({ region: part, hole: undefined, split: false });
    for (const hole of claim.holes) stack.push({ region: claim, hole, split: false });
  }
  return { kind: 'none' };
}
