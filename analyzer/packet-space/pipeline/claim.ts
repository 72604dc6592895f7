/**
 * Why a trip went as it did, as a region of inputs: one box around its point, less holes. For every packet in the box and in none of
 * the holes the same can be said of its trip. It is found backwards: a rule that decided is pinned (the box shrinks to what
 * the rule asks); a rule that was not matched, and would have decided otherwise, becomes a hole; a field that was asked, and that
 * rules before may have written, wants them to have done the same.
 */
import { ctstates } from '../../packet/constraint.js';
import { InvariantError } from '../invariant.js';
import { anything, Does, stops, writes } from './classes.js';
import { Step, type PipelineChain } from './chains.js';
import { holds, inHole, type Part, type PartHole } from './part.js';
import type { Trip, Pipeline } from './passes.js';
import type { Origins } from './origins.js';
import { chainFor, isChoice, type Frame, type Leads, type Point, type StageRun, type StepTaken } from './run.js';
import { statesLike } from './stages.js';
import { meets, writtenBelow } from './written.js';

export interface PartClaim extends Part {
  readonly holes: readonly PartHole[];
  /** Numbers of rules that were pinned. */
  readonly rules: ReadonlySet<number>;
}

/** Holes are looked up when they are asked for: there may be thousands, and often the first shows what is looked for. */
export interface FreshClaim extends PartClaim {
  /** Holes at most; to count many of them takes time. */
  readonly holeCount: number;
  readonly hasMany: boolean;
  /** One after the other, what stands late in a chain first: it is met by most. To be gone through once. */
  readonly fromLast: Iterator<PartHole, void>;
}

/** What a proof about one stage is about. */
interface Aim {
  /** What would break it. */
  readonly mask: number;
  /** It is about what was written, which an earlier ACCEPT would have kept from happening. */
  readonly isWrite: boolean;
  readonly leads: Leads | undefined;
}

/** A jump that a packet need not have made to be where a hole is. */
interface Way {
  readonly frame: Frame;
  readonly box: number;
  readonly origins: Origins;
  readonly up: Way | undefined;
}

/** Boxes that were passed without a match. */
interface Gap {
  readonly run: StageRun;
  readonly frame: Frame;
  readonly from: number;
  readonly to: number;
  readonly mask: number;
  readonly leads: readonly number[];
  readonly origins: Origins;
  readonly way: Way | undefined;
}

interface Walk {
  readonly run: StageRun;
  readonly aim: Aim;
  readonly strict: boolean;
  /** Something behind was pinned that an ACCEPT would prevent. */
  later: boolean;
}

export class Justifier {
  readonly #pipeline: Pipeline;
  readonly #trip: Trip;
  readonly #lo: Int32Array;
  readonly #hi: Int32Array;
  readonly #choices: Map<number, number>;
  readonly #gaps: Gap[] = [];
  readonly #closed: Gap[] = [];
  /** Of each stage: writes that are sure to be the same. */
  readonly #sure: Int32Array;
  readonly #rules = new Set<number>();

  constructor(pipeline: Pipeline, trip: Trip, within: Part) {
    this.#pipeline = pipeline;
    this.#trip = trip;
    this.#lo = within.lo.slice();
    this.#hi = within.hi.slice();
    this.#choices = new Map(within.choices);
    this.#sure = new Int32Array(trip.run.stages.length);
  }

  /** The stage ends as it did: dropped, or not. */
  verdict(at: number): void {
    const run = this.#stage(at);
    this.#aim(run, { mask: run.dropped ? Does.accept : stops, isWrite: false, leads: undefined });
  }

  /** No packet comes by the boxes that the leads lead to, at this stage. */
  avoids(at: number, leads: Leads): void {
    this.#aim(this.#stage(at), { mask: 0, isWrite: false, leads });
  }

  /** The field is what it was: `origins` says when. */
  same(origins: Origins, d: number, low: number, high: number): void {
    this.#need(origins, d);
    const input = origins.input[d] ?? -1;
    if (input >= 0) this.#cut(input, low - (origins.offset[d] ?? 0), high - (origins.offset[d] ?? 0));
  }

  /** The field came from where it came, whatever that is. */
  cameFrom(origins: Origins, d: number): void {
    this.#need(origins, d);
  }

  /** One input alone. */
  cutInput(input: number, low: number, high: number): void {
    this.#cut(input, low, high);
  }

  /** What is left of the part, as a measure: larger is better. */
  size(): number {
    let sum = -8 * this.#choices.size;
    for (let i = 0; i < this.#lo.length; i++) sum += Math.log2((this.#hi[i] ?? 0) - (this.#lo[i] ?? 0) + 1);
    return sum;
  }

  /** Derives the holes. */
  finish(): FreshClaim {
    for (let gap = this.#gaps.pop(); gap !== undefined; gap = this.#gaps.pop()) {
      this.#settle(gap);
      this.#closed.push(gap);
    }
    const own = { lo: this.#lo, hi: this.#hi, choices: this.#choices, rules: this.#rules };
    assertOwn(own, this.#trip.run.point);
    const rest = this.#fresh();
    const few: PartHole[] = [];
    // A few are written at once: then nothing of the trip need be kept for them.
    for (let next = rest.next(); next.done !== true; next = rest.next()) {
      few.push(next.value);
      if (few.length === writtenAtOnce) return this.#open(own, few, rest);
    }
    return { ...own, holes: few.toReversed(), hasMany: false, holeCount: few.length, fromLast: few.values() };
  }

  /** A claim with more holes than were written. */
  #open(own: Omit<PartClaim, 'holes'>, few: readonly PartHole[], rest: Iterator<PartHole, void>): FreshClaim {
    const [all, count] = [(): PartHole[] => [...this.#fresh()].reverse(), (): number => this.#closed.reduce((sum, gap) => sum + this.#boxesIn(gap).length, 0)];
    return { ...own, get holes() { return all(); }, hasMany: true, get holeCount() { return count(); }, fromLast: chained(few, rest) };
  }

  * #fresh(): Generator<PartHole, void> {
    const { point } = this.#trip.run;
    for (const gap of this.#closed.toReversed()) {
      for (const box of this.#fromLast(gap)) {
        const hole = this.#apart(gap, box) === 'apart' ? undefined : this.#hole(gap, box);
        if (hole === undefined) continue;
        if (inHole(hole, point)) throw new InvariantError('a packet lies in a hole of the part that was derived from it');
        yield hole;
      }
    }
  }

  #stage(at: number): StageRun {
    const run = this.#trip.run.stages[at];
    if (run === undefined) throw new RangeError(`stage ${String(at)}`);
    return run;
  }

  #cut(input: number, low: number, high: number): void {
    if (low > (this.#lo[input] ?? 0)) this.#lo[input] = low;
    if (high < (this.#hi[input] ?? 0)) this.#hi[input] = high;
  }

  #need(origins: Origins, d: number): void {
    const by = origins.by[d] ?? 0;
    for (let bits = origins.stages[d] ?? 0; bits !== 0; bits &= bits - 1) this.#ensure(31 - Math.clz32(bits & -bits), by);
  }

  /** Whatever the stage writes of these it writes for all packets of the claim. */
  #ensure(at: number, by: number): void {
    const run = this.#stage(at);
    const mask = by & run.stage.does & writes & ~(this.#sure[at] ?? 0);
    if (mask === 0) return;
    this.#sure[at] = (this.#sure[at] ?? 0) | mask;
    this.#aim(run, { mask, isWrite: true, leads: undefined });
  }

  #isSure(origins: Origins, d: number): boolean {
    const by = origins.by[d] ?? 0;
    for (let bits = origins.stages[d] ?? 0; bits !== 0; bits &= bits - 1) {
      const at = 31 - Math.clz32(bits & -bits);
      const mask = by & this.#stage(at).stage.does & writes;
      if (((this.#sure[at] ?? 0) & mask) !== mask) return false;
    }
    return true;
  }

  #aim(run: StageRun, aim: Aim): void {
    const { stage, frame } = run;
    // What comes back is what it is because of the state in which the first packet left its connection.
    if (run.isReply) this.same(this.#trip.leaving, this.#pipeline.chains.dimensions.fields.get('ctstate')?.[0] ?? 0, this.#trip.state, this.#trip.state);
    const isRelevant = (stage.does & aim.mask) !== 0 || aim.leads !== undefined;
    if (!isRelevant && !run.dropped) return;
    if (stage.byState) {
      const state = this.#pipeline.chains.dimensions.fields.get('ctstate')?.[0] ?? 0;
      const [low, high] = statesLike(run.state);
      this.same(run.origins, state, low, high);
    }
    if (frame === undefined) return;
    const base = this.#pipeline.chains.list[chainFor(stage, run.state)];
    const policy = base?.policy === 'DROP' ? Does.drop : Does.accept;
    const walk: Walk = { run, aim, strict: stage.strict, later: false };
    this.#frame(walk, frame, aim.isWrite ? 0 : policy, false, undefined);
  }

  /**
   * Goes backwards over one run of a chain. `behind`: what may come of what follows it. True where something in it must
   * have happened, so that the packet must have come here.
   */
  #frame(walk: Walk, frame: Frame, behind: number, leadsBehind: boolean, way: Way | undefined): boolean {
    const { aim, strict } = walk;
    const { chain, steps } = frame;
    const leads = aim.leads?.(chain) ?? none;
    const base = strict ? aim.mask | anything : aim.mask;
    let pinned = strict;
    let to = frame.stop;
    const gap = (from: number, until: number, origins: Origins): void => {
      const mask = base | (walk.later ? Does.accept : 0) | (pinned ? Does.leave : 0);
      const own = leads.filter(box => box >= from && box < until);
      if (from < until && (own.length > 0 || ((chain.suffix[from] ?? 0) & mask) !== 0)) this.#gaps.push({ run: walk.run, frame, from, to: until, mask, leads: own, origins: strict ? origins : walk.run.origins, way });
    };
    for (let i = steps.length - 1; i >= 0; i--) {
      const step = steps[i];
      if (step === undefined) continue;
      const next = chain.end[step.box] ?? 0;
      gap(next, to, steps[i + 1]?.origins ?? frame.after);
      const mask = base | (walk.later ? Does.accept : 0);
      const here = ((chain.suffix[next] ?? 0) & mask) !== 0 || (leads.at(-1) ?? -1) >= next;
      const follows = here || (behind & mask) !== 0 || leadsBehind;
      if (this.#step(walk, frame, step, { behind, leadsBehind, here, follows, mask, way })) pinned = true;
      to = step.box;
      // Boxes of the same rule before the one that was met.
    }
    gap(0, to, steps[0]?.origins ?? frame.after);
    return pinned;
  }

  /** One matched box; true where it was pinned and its chain must have been run to there. */
  #step(walk: Walk, frame: Frame, step: StepTaken, at: { readonly behind: number; readonly leadsBehind: boolean; readonly here: boolean; readonly follows: boolean; readonly mask: number; readonly way: Way | undefined }): boolean {
    const { chain } = frame;
    const { box, below, ends } = step;
    const act = chain.act[box] ?? 0;
    if (act === Step.Leave) {
      if (at.here) this.#pin(walk, frame, step);
      return false;
    }
    if (below !== undefined) return this.#call(walk, frame, step, below, at);
    const own = (chain.bits[box] ?? 0) & at.mask & writes;
    const must = walk.strict || own !== 0 || (ends && at.follows);
    if (!must) return false;
    this.#pin(walk, frame, step);
    if (own !== 0) walk.later = true;
    return true;
  }

  #call(walk: Walk, frame: Frame, step: StepTaken, below: Frame, { behind, leadsBehind, here, follows, mask, way }: { readonly behind: number; readonly leadsBehind: boolean; readonly here: boolean; readonly follows: boolean; readonly mask: number; readonly way: Way | undefined }): boolean {
    const { chain } = frame;
    const isGoto = chain.act[step.box] === Step.Goto;
    const next = chain.end[step.box] ?? 0;
    let must = false;
    if (step.ends) {
      must = this.#frame(walk, below, isGoto ? behind : (chain.suffix[next] ?? 0) | behind, isGoto ? leadsBehind : follows && walk.aim.leads !== undefined, undefined);
      if (follows) must = true;
    } else {
      const inside = (below.chain.does & ~Does.leave & mask) !== 0 || (walk.aim.leads?.(below.chain).length ?? 0) > 0;
      const single = next === (chain.end[step.box] ?? 0) && this.#isOnlyBox(chain, step.box);
      const own: Way | undefined = walk.strict ? undefined : single ? { frame, box: step.box, origins: walk.run.origins, up: way } : way;
      if (inside) must = this.#frame(walk, below, 0, false, own);
      if (walk.strict && below.chain.does !== 0) must = true;
      if (isGoto && here) must = true;
    }
    if (must) this.#pin(walk, frame, step);
    return must;
  }

  #isOnlyBox({ rule, end }: PipelineChain, box: number): boolean {
    return (end[box] ?? 0) === box + 1 && (box === 0 || rule[box - 1] !== rule[box]);
  }

  /** All packets of the claim match the box, too. */
  #pin(walk: Walk, frame: Frame, { box, origins }: StepTaken): void {
    const { chain } = frame;
    const from = walk.strict ? origins : walk.run.origins;
    for (let i = chain.at[box] ?? 0; i < (chain.at[box + 1] ?? 0); i++) this.same(from, chain.dim[i] ?? 0, chain.lo[i] ?? 0, chain.hi[i] ?? 0);
    for (const [choice, value] of this.#choicesOf(walk.run, frame, box)) this.#choices.set(choice, value);
    const rule = chain.rule[box] ?? -1;
    if (rule >= 0) this.#rules.add(rule);
  }

  /** The choices with which a packet that has the fields matches a box. */
  #choicesOf({ stage, isReply }: StageRun, { chain, way }: Frame, box: number): (readonly [number, number])[] {
    const { choices } = this.#pipeline;
    const out: (readonly [number, number])[] = (chain.atoms[box] ?? none).map(atom => [choices.atom(atom >> 1, stage.epoch, isReply), atom & 1] as const);
    if (isChoice(this.#trip.run.settings, chain, box, chain.soft)) out.push([choices.soft(way, chain.firstBox + box), 1]);
    return out;
  }

  /** Makes sure of the fields that tell which of the boxes in a gap could break the claim. */
  #settle(gap: Gap): void {
    while (!gap.frame.chain.asks.every(d => this.#isSure(gap.origins, d))) {
      const unsure = this.#unsureIn(gap);
      if (unsure < 0) return;
      this.#need(gap.origins, unsure);
    }
  }

  /** A field that some box in a gap asks for, which the claim's packets may meet, and of which it is not sure where it came from; -1 where there is none. */
  #unsureIn(gap: Gap): number {
    // Where nothing is sure yet, all boxes of a long chain may be met, and the first of them tells.
    const { frame: { chain }, origins, mask, from, to } = gap;
    const few = chain.index.meeting(this.#image(origins), mask, from, to, [], askedAtOnce);
    const unsure = this.#firstUnsure(gap, few);
    if (unsure >= 0) return unsure;
    return this.#firstUnsure(gap, few.length < askedAtOnce ? this.#leadsIn(gap) : this.#boxesIn(gap).slice(few.length));
  }

  #firstUnsure(gap: Gap, boxes: readonly number[]): number {
    for (const box of boxes) {
      const state = this.#apart(gap, box);
      if (state !== 'apart' && state >= 0) return state;
    }
    return -1;
  }

  /** The boxes in a gap that packets of the claim may meet, as far as it is sure where their fields came from; of many, so many at least. */
  #boxesIn(gap: Gap, limit = Infinity): number[] {
    const { frame: { chain }, origins, mask, from, to, leads } = gap;
    const some = chain.index.meeting(this.#image(origins), mask, from, to, [], limit);
    return leads.length === 0 ? some : [...some, ...this.#leadsIn(gap)];
  }

  /** Those among them that only lead to what is looked for. */
  #leadsIn({ frame: { chain }, mask, leads }: Gap): readonly number[] {
    return leads.filter(box => ((chain.bits[box] ?? 0) & mask) === 0 || chain.act[box] === Step.Skip);
  }

  /** Of many, a few are looked up first. */
  * #fromLast(gap: Gap): Generator<number, void> {
    const few = this.#boxesIn(gap, writtenAtOnce);
    yield* few.toReversed();
    if (few.length < writtenAtOnce) return;
    const known = new Set(few);
    for (const box of this.#boxesIn(gap).reverse()) if (!known.has(box)) yield box;
  }

  /** Where the fields of the claim's packets lie, as far as it is sure where they came from. */
  #image(origins: Origins): { readonly lo: Int32Array; readonly hi: Int32Array } {
    const { dimensions: { last }, fieldCount } = this.#pipeline.chains;
    const [lo, hi] = [new Int32Array(fieldCount), last.slice(0, fieldCount)];
    for (let d = 0; d < fieldCount; d++) {
      if (!this.#isSure(origins, d)) continue;
      [lo[d], hi[d]] = this.#interval(origins, d);
    }
    return { lo, hi };
  }

  #interval(origins: Origins, d: number): [number, number] {
    const [input, offset] = [origins.input[d] ?? -1, origins.offset[d] ?? 0];
    return input < 0 ? [offset, offset] : [(this.#lo[input] ?? 0) + offset, (this.#hi[input] ?? 0) + offset];
  }

  /** `apart` where no packet of the claim is in the box; a field of which it must be made sure where it came from; -1 where they meet. */
  #apart({ frame: { chain }, origins }: Gap, box: number): 'apart' | number {
    let unsure = -1;
    for (let i = chain.at[box] ?? 0; i < (chain.at[box + 1] ?? 0); i++) {
      const d = chain.dim[i] ?? 0;
      const [from, to] = [chain.lo[i] ?? 0, chain.hi[i] ?? 0];
      const [low, high] = this.#interval(origins, d);
      const isApart = from > high || to < low;
      if (this.#isSure(origins, d)) {
        if (isApart) return 'apart';
        continue;
      }
      const input = this.#unwritten(origins, d, from, to);
      if (input >= 0 && (from > (this.#hi[input] ?? 0) || to < (this.#lo[input] ?? 0))) return 'apart';
      if (input < 0 && (unsure < 0 || isApart)) unsure = d;
    }
    return unsure;
  }

  /**
   * Where it is not sure where a field came from, but nobody can have written any of the classes low … high: the input that it is, if it is any of them.
   * -1 where that cannot be said.
   */
  #unwritten(origins: Origins, d: number, low: number, high: number): number {
    const input = origins.unwritten[d] ?? -1;
    if (input < 0) return -1;
    // It was written for the packet itself, which would lie in what is left out for this.
    const own = this.#trip.run.point.inputs[input] ?? 0;
    if ((origins.input[d] !== input || origins.offset[d] !== 0) && own >= low && own <= high) return -1;
    const by = origins.by[d] ?? 0;
    for (let bits = origins.stages[d] ?? 0; bits !== 0; bits &= bits - 1) {
      for (const base of this.#basesOf(this.#stage(31 - Math.clz32(bits & -bits)))) {
        const written = writtenBelow(this.#pipeline.chains, base, by, d);
        if (written === undefined || meets(written, low, high)) return -1;
      }
    }
    return input;
  }

  /** The chains that a stage may be for packets of the claim. */
  #basesOf({ stage, origins }: StageRun): readonly number[] {
    const state = this.#pipeline.chains.dimensions.fields.get('ctstate')?.[0] ?? 0;
    if (!stage.byState) return [stage.chain];
    const [low, high] = this.#isSure(origins, state) ? this.#interval(origins, state) : [ctstates.INVALID, ctstates.UNTRACKED];
    const bases = new Set<number>();
    for (let at = low; at <= high; at++) bases.add(chainFor(stage, at));
    bases.delete(-1);
    return [...bases];
  }

  #hole(gap: Gap, box: number): PartHole | undefined {
    const sides: [number, number, number][] = [];
    const choices: (readonly [number, number])[] = [];
    if (!this.#addBox(gap.run, gap.frame, box, gap.origins, sides, choices)) return undefined;
    for (let way = gap.way; way !== undefined; way = way.up) if (!this.#addBox(gap.run, way.frame, way.box, way.origins, sides, choices)) return undefined;
    return choices.some(([choice, value]) => this.#choices.has(choice) && this.#choices.get(choice) !== value) ? undefined : { sides, choices };
  }

  /** Adds what a box asks of the inputs; false where no input meets it. Fields that are not sure ask for nothing, and the hole is larger. */
  #addBox(run: StageRun, frame: Frame, box: number, origins: Origins, sides: [number, number, number][], choices: (readonly [number, number])[]): boolean {
    const { chain } = frame;
    for (let i = chain.at[box] ?? 0; i < (chain.at[box + 1] ?? 0); i++) {
      const d = chain.dim[i] ?? 0;
      const isSure = this.#isSure(origins, d);
      const input = isSure ? origins.input[d] ?? -1 : this.#unwritten(origins, d, chain.lo[i] ?? 0, chain.hi[i] ?? 0);
      if (input < 0 && !isSure) continue;
      const offset = isSure ? origins.offset[d] ?? 0 : 0;
      const [low, high] = [(chain.lo[i] ?? 0) - offset, (chain.hi[i] ?? 0) - offset];
      if (input >= 0 ? !narrowSide(sides, input, low, high) : low > 0 || high < 0) return false;
    }
    if (chain.atoms[box] !== undefined || isChoice(this.#trip.run.settings, chain, box, chain.soft)) choices.push(...this.#choicesOf(run, frame, box));
    return true;
  }
}

/** Notes an interval of an input, cut with what is known of it; false where nothing is left. */
function narrowSide(sides: [number, number, number][], input: number, low: number, high: number): boolean {
  for (const side of sides) {
    if (side[0] !== input) continue;
    if (low > side[1]) side[1] = low;
    if (high < side[2]) side[2] = high;
    return side[1] <= side[2];
  }
  sides.push([input, low, high]);
  return low <= high;
}

/** Of a claim with more holes only these are known without looking them up. */
export const writtenAtOnce = 16;
/** So many boxes are asked for what is not sure, before all are. */
const askedAtOnce = 16;

function* chained<T>(first: Iterable<T>, then: Iterator<T, void>): Generator<T, void> {
  yield* first;
  for (let next = then.next(); next.done !== true; next = then.next()) yield next.value;
}

const none: readonly number[] = [];

/** A proof that does not even hold for its own packet is wrong somewhere. */
function assertOwn(part: Part, point: Point): void {
  if (!holds(part, point)) throw new InvariantError('a packet lies outside of the part that was derived from it');
}
