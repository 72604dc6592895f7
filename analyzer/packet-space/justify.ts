/**
 * Why a packet did not get where a question points, as a region: one box around it, less holes. Every packet in the
 * box and in none of the holes does not get there either.
 *
 * A run of a chain claims: a packet that comes with at most this level meets no goal, and leaves with at most the level
 * `out`. Two kinds of comparison bear the claim. A rule that the packet matched and that ended the run is pinned (the
 * box shrinks to the rule's) where anything behind it could break the claim. A rule that it did not match, and that
 * would break the claim, becomes a hole.
 */
import { copyOf, holds, meets, narrow, type Boxes, type Region } from './boxes.js';
import { Act, type CompiledChain } from './compile.js';
import { InvariantError } from './invariant.js';
import type { Query } from './query.js';
import { stopAtMark, type Frame, type Traversal } from './traverse.js';

export interface Claim extends Region {
  /** Boxes whose part in the region is left open. */
  readonly holes: Hole[];
  /** The rules that were pinned. */
  readonly rules: Set<number>;
}

/** A box of a chain: written out only when its turn comes, for there may be thousands. */
export interface Hole {
  readonly boxes: Boxes;
  readonly box: number;
}

interface FrameClaim {
  readonly frame: Frame;
  readonly out: number;
  /** Boxes from here on are out of reach. */
  readonly end: number;
}

/** The claim of a traversal that found no goal, within `region`. */
export function justify(run: Traversal, point: Int32Array, region: Region): Claim {
  const claim: Claim = { ...copyOf(region), holes: [], rules: new Set() };
  const justifier = new Justifier(run, point, claim);
  justifier.run();
  assertHolds(claim, point);
  return claim;
}

/** A proof that does not even cover its own packet is wrong somewhere. */
export function assertHolds(claim: Claim, point: Int32Array): void {
  const isIn = point.every((value, d) => (claim.lo[d] ?? 0) <= value && value <= (claim.hi[d] ?? 0));
  if (!isIn || claim.holes.some(({ boxes, box }) => holds(boxes, box, point))) throw new InvariantError('a packet lies outside of the region that was derived from it');
}

class Justifier {
  readonly #run: Traversal;
  readonly #query: Query;
  readonly #point: Int32Array;
  readonly #claim: Claim;
  /** The strongest claim asked of each run so far. */
  readonly #asked = new Map<Frame, number>();
  readonly #open: { frame: Frame; out: number }[] = [];
  readonly #claims: FrameClaim[] = [];

  constructor(run: Traversal, point: Int32Array, claim: Claim) {
    this.#run = run;
    this.#query = run.query;
    this.#point = point;
    this.#claim = claim;
  }

  run(): void {
    const { base, mark, policy, goals } = this.#query;
    const level = mark === undefined || mark.does === 'goal' ? 2 : 1;
    // Where the policy is a goal, no way may arrive there past the start mark.
    this.#ask(base, level, (policy & goals) === 0 ? 2 : 1);
    for (let next = this.#open.pop(); next !== undefined; next = this.#open.pop()) this.#frame(next.frame, next.out);
    // Only now is the box as small as it gets, and the holes with it.
    for (const one of this.#claims) this.#holes(one);
  }

  #ask(chain: number, level: number, out: number): void {
    const frame = this.#run.frame(chain, level);
    // It was not run because it cannot tell anything.
    if (frame === undefined || (this.#asked.get(frame) ?? 3) <= out) return;
    this.#asked.set(frame, out);
    this.#open.push({ frame, out });
  }

  #levelAt(frame: Frame, box: number): number {
    return box < frame.rise ? frame.level : 2;
  }

  #frame(frame: Frame, out: number): void {
    const { chain, stop } = frame;
    if (frame.out > out) throw new InvariantError('a claim that its own packet breaks');
    let end = chain.count;
    if (stop === stopAtMark) end = this.#query.mark?.from ?? end;
    else if (stop >= 0) {
      if (out < frame.now || this.#anythingAfter(frame, stop)) {
        this.#pin(chain, stop);
        end = chain.start[this.#positionOf(chain, stop)] ?? stop;
        this.#stopCall(frame, stop, out, true);
      } else this.#stopCall(frame, stop, out, false);
    }
    for (const { box, level } of frame.steps) this.#step(frame, box, level, out);
    this.#claims.push({ frame, out, end });
  }

  #positionOf(chain: CompiledChain, box: number): number {
    let low = 0;
    let high = chain.start.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((chain.start[middle] ?? 0) <= box) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The call that ended the run of the chain. */
  #stopCall(frame: Frame, box: number, out: number, pinned: boolean): void {
    // Taken as an end, lest it be one.
    if (this.#query.strict && frame.chain.soft[box] === 1) return;
    const act = frame.chain.act[box];
    const callee = frame.chain.callee[box] ?? -1;
    if (act === Act.Goto) this.#ask(callee, frame.now, out);
    else if (act === Act.Jump) this.#ask(callee, frame.now, pinned ? 0 : frame.now);
  }

  /** A call that came back, or that might not have been made. */
  #step(frame: Frame, box: number, level: number, out: number): void {
    const act = frame.chain.act[box];
    const callee = frame.chain.callee[box] ?? -1;
    if (act !== Act.Jump && act !== Act.Goto) return;
    if (act === Act.Goto) this.#ask(callee, level, out);
    else if (this.#isRelevant(frame.chain, box, level)) this.#ask(callee, level, this.#levelAt(frame, frame.chain.end[box] ?? 0));
  }

  /** Whether a packet that matches the box with this level could break a claim by itself. */
  #isRelevant(chain: CompiledChain, box: number, level: number): boolean {
    const { goals, mark } = this.#query;
    if (level === 2 && ((chain.bits[box] ?? 0) & goals) !== 0) return true;
    if (mark === undefined || (mark.does !== 'goal' && level === 2)) return false;
    const callee = chain.callee[box] ?? -1;
    return callee >= 0 && mark.ways.has(callee);
  }

  #anythingAfter(frame: Frame, stop: number): boolean {
    const { chain } = frame;
    const { mark, goals } = this.#query;
    const from = chain.end[stop] ?? 0;
    if (mark?.chain === chain.id && mark.from >= from && (mark.does === 'goal' || frame.now === 1)) return true;
    if (frame.now === 2 && goals !== 0 && chain.full.meeting(this.#claim, goals, from, chain.count).length > 0) return true;
    if (mark === undefined || (mark.does !== 'goal' && frame.now === 2)) return false;
    return mark.ways.get(chain.id)?.some(box => box >= from && meets(chain, box, this.#claim)) === true;
  }

  #pin(chain: CompiledChain, box: number): void {
    narrow(this.#claim, chain, box);
    this.#claim.rules.add(chain.rule[box] ?? 0);
  }

  #holes({ frame, out, end }: FrameClaim): void {
    const { chain } = frame;
    const { mark, goals } = this.#query;
    const boxes = new Set<number>();
    const isOwn = (box: number): boolean => mark?.chain === chain.id && mark.does !== 'goal' && box >= mark.from && box < mark.to;
    if (goals !== 0) {
      const from = frame.level === 2 ? 0 : Math.min(frame.rise, chain.count);
      for (const box of chain.full.meeting(this.#claim, goals, from, end)) boxes.add(box);
    }
    if (mark !== undefined) {
      for (const box of mark.ways.get(chain.id) ?? []) {
        if (box >= end) break;
        if ((mark.does === 'goal' || this.#levelAt(frame, box) === 1) && meets(chain, box, this.#claim)) boxes.add(box);
      }
    }
    if (out < 2) {
      for (const box of chain.leaving) {
        if (box >= end) break;
        if (this.#levelAt(frame, box) > out && meets(chain, box, this.#claim)) boxes.add(box);
      }
    }
    for (const box of boxes) if (!isOwn(box) && !holds(chain, box, this.#point)) this.#claim.holes.push({ boxes: chain, box });
  }
}
