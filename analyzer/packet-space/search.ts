/**
 * Searches a region for a packet that gets where a question points, or proves that there is none: takes a corner, follows
 * it, and where it does not get there, puts aside all packets for which the same reasons hold. What is left is cut into
 * smaller regions.
 */
import { contains, holds, outside, partIn, type Boxes, type Region } from './boxes.js';
import type { Claim, Gap } from './justify.js';

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
const remembered = 64;

/** Boxes `from` … `to - 1` of one chain that have one of the bits: what of a region lies in them is proven. */
interface Done {
  readonly index: Gap['index'];
  readonly bits: number;
  readonly from: number;
  readonly to: number;
  readonly before: Done | undefined;
}

interface GapTask {
  readonly kind: 'gap';
  readonly region: Region;
  readonly gap: Gap;
  readonly done: Done | undefined;
  /** The box to go on with. */
  at: number;
  /** From this box on, all before `at` are proven. */
  from: number;
  /** All of the gap's, in order; looked up when the first is needed. */
  boxes: Int32Array | undefined;
}

/** Something still to be looked at. `done` holds of its region. */
type Task =
  | { readonly kind: 'region'; readonly region: Region; readonly done: Done | undefined }
  | { readonly kind: 'hole'; readonly region: Region; readonly box: number; readonly done: Done | undefined }
  | GapTask
  /** All of its parts were put on the stack above it: once they are gone, it is proven. */
  | { readonly kind: 'proven'; readonly region: Region };

/** `boxes`: those that claims speak of. */
export function search(boxes: Boxes, start: Region, budget: Budget, examine: (point: Int32Array, region: Region) => Examined): Outcome {
  const stack: Task[] = [{ kind: 'region', region: start, done: undefined }];
  const proven: Region[] = [];
  for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
    if (task.kind === 'proven') {
      if (proven.length === remembered) proven.shift();
      proven.push(task.region);
      continue;
    }
    if (task.kind === 'gap') {
      if (budget.work-- <= 0) return { kind: 'undecided' };
      nextHole(boxes, task, stack);
      continue;
    }
    const region = task.kind === 'hole' ? partIn(task.region, boxes, task.box) : task.region;
    if (region === undefined || proven.some(one => contains(one, region))) continue;
    if (budget.cells-- <= 0 || budget.work <= 0) return { kind: 'undecided' };
    const { found, claim, work } = examine(region.lo, region);
    // To derive a claim costs about as much as to follow the packet.
    budget.work -= (found ? 1 : 2) * (work + 1) + (claim?.holes.length ?? 0);
    if (found) return { kind: 'found', point: region.lo };
    if (claim === undefined) return { kind: 'undecided' };
    pushParts(stack, region, claim, task.done);
  }
  return { kind: 'none' };
}

function pushParts(stack: Task[], region: Region, claim: Claim, done: Done | undefined): void {
  const parts = outside(region, claim);
  if (parts.length + claim.holes.length + claim.gaps.length > 1) stack.push({ kind: 'proven', region });
  for (const part of parts) stack.push({ kind: 'region', region: part, done });
  for (const gap of claim.gaps) stack.push({ kind: 'gap', region: claim, gap, at: gap.from, from: gap.from, boxes: undefined, done });
  for (const box of claim.holes) stack.push({ kind: 'hole', region: claim, box, done });
}

/** Goes on to the next box of a gap: its part of the region comes on the stack, above what is left of the gap. */
function nextHole(boxes: Boxes, task: GapTask, stack: Task[]): void {
  const { gap, region, done } = task;
  for (let box = nextBox(task); box < gap.to; box = nextBox(task)) {
    task.at = box + 1;
    if (box >= gap.without && box < gap.behind) continue;
    const part = holds(boxes, box, gap.point) ? undefined : partIn(region, boxes, box);
    if (part === undefined) {
      task.from = box + 1;
      continue;
    }
    stack.push(task, { kind: 'region', region: part, done: box === task.from ? done : { index: gap.index, bits: gap.bits, from: task.from, to: box, before: done } });
    return;
  }
}

/** The next box of a gap that is not proven yet; `gap.to` behind the last. */
function nextBox(task: GapTask): number {
  const { gap, region, done } = task;
  for (;;) {
    task.at = behindDone(gap, task.at, done);
    if (task.at >= gap.to) return gap.to;
    task.boxes ??= Int32Array.from(gap.index.meeting(region, gap.bits, task.at, gap.to)).sort();
    const box = nextOf(task.boxes, task.at, gap.to);
    if (box >= gap.to) return gap.to;
    const behind = behindDone(gap, box, done);
    if (behind === box) return box;
    task.at = behind;
  }
}

/** The first of a sorted list that is not smaller; `limit` behind the last. */
function nextOf(sorted: Int32Array, value: number, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] ?? limit;
}

/** Where the boxes end that are proven already together with this one; the box itself where it is not. */
function behindDone({ index, bits }: Gap, box: number, done: Done | undefined): number {
  for (let one = done, looks = 0; one !== undefined && looks < 32; one = one.before, looks++) {
    if (one.index === index && box >= one.from && box < one.to && (bits & ~one.bits) === 0) return one.to;
  }
  return box;
}
