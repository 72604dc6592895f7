/**
 * Why a packet did not get where a question points, as a region: one box around it, less holes. Every packet in the
 * box and in none of the holes does not get there either.
 *
 * A run of a chain claims: a packet that comes with at most this level meets no goal, and leaves with at most the level
 * `out`. Two kinds of comparison bear the claim. A rule that the packet matched and that ended the run is pinned (the
 * box shrinks to the rule's) where anything behind it could break the claim. A rule that it did not match, and that
 * would break the claim, becomes a hole.
 */
import type { BoxIndex } from './box-index.js';
import { copyOf, holds, meets, narrow, type Boxes, type Region } from './boxes.js';
import { Act, type CompiledTable } from './compile.js';
import { InvariantError } from './invariant.js';
import type { Query } from './query.js';
import { stopAtMark, type Frame, type Traversal } from './traverse.js';

export interface Claim extends Region {
  /** Boxes whose part in the region is left open. */
  readonly holes: number[];
  /** Many more such boxes: looked up one by one, when their turn comes. */
  readonly gaps: Gap[];
  /** The rules that were pinned. */
  readonly rules: number[];
}

/** The boxes `from` … `to - 1` of a chain that have one of the bits, meet the claim's region and do not hold its packet. */
export interface Gap {
  readonly index: BoxIndex;
  readonly bits: number;
  readonly from: number;
  readonly to: number;
  /** Boxes of a rule that is taken as missing: `without` … `behind - 1`. */
  readonly without: number;
  readonly behind: number;
  readonly point: Int32Array;
}

interface FrameClaim {
  readonly frame: Frame;
  readonly out: number;
  /** Boxes from here on are out of reach. */
  readonly end: number;
}

/** The claim of a traversal that found no goal, within `region`. */
export function justify(run: Traversal, point: Int32Array, region: Region): Claim {
  const claim: Claim = { ...copyOf(region), holes: [], gaps: [], rules: [] };
  new Justifier(run, point, claim).run();
  assertHolds(run.query.compiled.boxes, claim, point);
  return claim;
}

/** A proof that does not even cover its own packet is wrong somewhere. (Gaps leave out boxes that hold it.) */
export function assertHolds(boxes: Boxes, { lo, hi, holes }: Claim, point: Int32Array): void {
  let isIn = true;
  for (let d = 0; d < point.length; d++) isIn &&= (lo[d] ?? 0) <= (point[d] ?? 0) && (point[d] ?? 0) <= (hi[d] ?? 0);
  if (!isIn || holes.some(box => holds(boxes, box, point))) throw new InvariantError('a packet lies outside of the region that was derived from it');
}

class Justifier {
  readonly #run: Traversal;
  readonly #query: Query;
  readonly #compiled: CompiledTable;
  readonly #point: Int32Array;
  readonly #claim: Claim;
  readonly #open: { frame: Frame; out: number }[] = [];
  readonly #claims: FrameClaim[] = [];

  constructor(run: Traversal, point: Int32Array, claim: Claim) {
    this.#run = run;
    this.#query = run.query;
    this.#compiled = run.query.compiled;
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
    if (frame === undefined || frame.asked <= out) return;
    frame.asked = out;
    this.#open.push({ frame, out });
  }

  #levelAt(frame: Frame, box: number): number {
    return box < frame.rise ? frame.level : 2;
  }

  #frame(frame: Frame, out: number): void {
    const { chain, stop } = frame;
    if (frame.out > out) throw new InvariantError('a claim that its own packet breaks');
    let end = chain.to;
    if (stop === stopAtMark) end = this.#query.mark?.from ?? end;
    else if (stop >= 0) {
      if (out < frame.now || this.#anythingAfter(frame, stop)) {
        this.#pin(stop);
        end = this.#compiled.start[this.#compiled.boxes.rule[stop] ?? 0] ?? stop;
        this.#stopCall(frame, stop, out, true);
      } else this.#stopCall(frame, stop, out, false);
    }
    for (const { box, level } of frame.steps) this.#step(frame, box, level, out);
    this.#claims.push({ frame, out, end });
  }

  /** The call that ended the run of the chain. */
  #stopCall(frame: Frame, box: number, out: number, pinned: boolean): void {
    const { boxes } = this.#compiled;
    // Taken as an end, lest it be one.
    if (this.#query.strict && boxes.soft[box] === 1) return;
    const act = boxes.act[box];
    const callee = boxes.callee[box] ?? -1;
    if (act === Act.Goto) this.#ask(callee, frame.now, out);
    else if (act === Act.Jump) this.#ask(callee, frame.now, pinned ? 0 : frame.now);
  }

  /** A call that came back, or that might not have been made. */
  #step(frame: Frame, box: number, level: number, out: number): void {
    const { boxes, start } = this.#compiled;
    const act = boxes.act[box];
    const callee = boxes.callee[box] ?? -1;
    if (act !== Act.Jump && act !== Act.Goto) return;
    if (act === Act.Goto) this.#ask(callee, level, out);
    else if (this.#isRelevant(box, level)) this.#ask(callee, level, this.#levelAt(frame, start[(boxes.rule[box] ?? 0) + 1] ?? 0));
  }

  /** Whether a packet that matches the box with this level could break a claim by itself. */
  #isRelevant(box: number, level: number): boolean {
    const { goals, mark } = this.#query;
    const { bits, callee } = this.#compiled.boxes;
    if (level === 2 && ((bits[box] ?? 0) & goals) !== 0) return true;
    if (mark === undefined || (mark.does !== 'goal' && level === 2)) return false;
    return (callee[box] ?? -1) >= 0 && mark.ways.has(callee[box] ?? -1);
  }

  #anythingAfter(frame: Frame, stop: number): boolean {
    const { chain } = frame;
    const { mark, goals } = this.#query;
    const { boxes, start } = this.#compiled;
    const from = start[(boxes.rule[stop] ?? 0) + 1] ?? 0;
    if (mark?.chain === chain.id && mark.from >= from && (mark.does === 'goal' || frame.now === 1)) return true;
    if (frame.now === 2 && goals !== 0 && chain.full.any(this.#claim, goals, from, chain.to)) return true;
    if (mark === undefined || (mark.does !== 'goal' && frame.now === 2)) return false;
    return mark.ways.get(chain.id)?.some(box => box >= from && meets(boxes, box, this.#claim)) === true;
  }

  #pin(box: number): void {
    const { boxes } = this.#compiled;
    narrow(this.#claim, boxes, box);
    this.#claim.rules.push(boxes.rule[box] ?? 0);
  }

  #holes({ frame, out, end }: FrameClaim): void {
    const { chain } = frame;
    const { mark, goals } = this.#query;
    const own = mark?.chain === chain.id && mark.does !== 'goal' ? mark : undefined;
    if (goals !== 0) {
      const from = frame.level === 2 ? chain.from : Math.min(frame.rise, chain.to);
      if (from < end) this.#claim.gaps.push({ index: chain.full, bits: goals, from, to: end, without: own?.from ?? 0, behind: own?.to ?? 0, point: this.#point });
    }
    const ways = mark?.ways.get(chain.id);
    if (ways !== undefined) this.#list(ways, end, own, box => mark?.does === 'goal' || this.#levelAt(frame, box) === 1);
    if (out < 2) this.#list(chain.leaving, end, own, box => this.#levelAt(frame, box) > out);
  }

  /** Those of `some` before `end` that break the claim. */
  #list(some: Int32Array, end: number, own: { readonly from: number; readonly to: number } | undefined, breaks: (box: number) => boolean): void {
    const { boxes } = this.#compiled;
    for (const box of some) {
      if (box >= end) break;
      if (own !== undefined && box >= own.from && box < own.to) continue;
      if (breaks(box) && meets(boxes, box, this.#claim) && !holds(boxes, box, this.#point)) this.#claim.holes.push(box);
    }
  }
}
