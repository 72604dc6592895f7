/**
 * Why a trip went as it did, as a region of inputs: one box around its point, less holes. For every packet in the box and in none of
 * the holes the same can be said of its trip. It is found backwards: a rule that decided is pinned (the box shrinks to what
 * the rule asks); a rule that was not matched, and would have decided otherwise, becomes a hole; a field that was asked, and that
 * rules before may have written, wants them to have done the same.
 */
import { InvariantError } from '../invariant.js';
import { anything, Does, stops, writes } from './classes.js';
import { Step, type PipelineChain } from './chains.js';
import { ClaimState } from './claim-state.js';
import { boxesIn, choicesOf, holesIn, unsureIn, writtenAtOnce, type Gap, type Way } from './gaps.js';
import type { Origins } from './origins.js';
import { holds, inHole, type Part, type PartHole } from './part.js';
import type { Pipeline, Trip } from './passes.js';
import { chainFor, type Frame, type Point, type StageRun, type StepTaken } from './run.js';
import { statesLike } from './stages.js';
import type { Leads } from './watch.js';

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
  /** It is about every step. */
  readonly isAlike?: true;
}

interface Walk {
  readonly run: StageRun;
  readonly aim: Aim;
  readonly strict: boolean;
  /** Something behind was pinned that an ACCEPT would prevent. */
  later: boolean;
}

/** A claim with more holes than were written at once. */
class OpenClaim implements FreshClaim {
  readonly lo: Part['lo'];
  readonly hi: Part['hi'];
  readonly choices: Part['choices'];
  readonly rules: PartClaim['rules'];
  readonly hasMany = true;
  readonly fromLast: Iterator<PartHole, void>;
  readonly #state: ClaimState;
  readonly #gaps: readonly Gap[];

  constructor({ lo, hi, choices, rules }: Omit<PartClaim, 'holes'>, state: ClaimState, gaps: readonly Gap[], fromLast: Iterator<PartHole, void>) {
    this.lo = lo;
    this.hi = hi;
    this.choices = choices;
    this.rules = rules;
    this.fromLast = fromLast;
    this.#state = state;
    this.#gaps = gaps;
  }

  get holes(): readonly PartHole[] {
    return [...freshHoles(this.#state, this.#gaps)].reverse();
  }

  get holeCount(): number {
    return this.#gaps.reduce((sum, gap) => sum + boxesIn(this.#state, gap).length, 0);
  }
}

/** The holes of a claim, one after the other. */
function* freshHoles(state: ClaimState, gaps: readonly Gap[]): Generator<PartHole, void> {
  const { point } = state.trip.run;
  for (const gap of gaps) for (const hole of holesIn(state, gap)) {
    if (inHole(hole, point)) throw new InvariantError('a packet lies in a hole of the part that was derived from it');
    yield hole;
  }
}

export class Justifier {
  readonly #state: ClaimState;
  readonly #gaps: Gap[] = [];
  readonly #closed: Gap[] = [];
  readonly #rules = new Set<number>();

  constructor(pipeline: Pipeline, trip: Trip, within: Part) {
    this.#state = new ClaimState(pipeline, trip, within);
  }

  /** The stage ends as it did: dropped, or not. */
  verdict(at: number): void {
    const run = this.#state.stage(at);
    this.#aim(run, { mask: run.dropped ? Does.accept : stops, isWrite: false, leads: undefined });
  }

  /** No packet comes by the boxes that the leads lead to, at this stage. */
  avoids(at: number, leads: Leads): void {
    this.#aim(this.#state.stage(at), { mask: 0, isWrite: false, leads });
  }

  /** Each packet takes the same steps at this stage. */
  alike(at: number): void {
    this.#aim(this.#state.stage(at), { mask: stops, isWrite: false, leads: undefined, isAlike: true });
  }

  /** The field is what it was: `origins` says when. */
  same(origins: Origins, d: number, low: number, high: number): void {
    this.#need(origins, d);
    const { input, offset } = origins.of(d);
    if (input >= 0) this.#state.cut(input, low - offset, high - offset);
  }

  /** The field came from where it came, whatever that is. */
  cameFrom(origins: Origins, d: number): void {
    this.#need(origins, d);
  }

  /** One input alone. */
  cutInput(input: number, low: number, high: number): void {
    this.#state.cut(input, low, high);
  }

  /** What is left of the part, as a measure: larger is better. */
  size(): number {
    const { lo, hi, choices } = this.#state;
    let sum = -8 * choices.size;
    for (let i = 0; i < lo.length; i++) sum += Math.log2((hi[i] ?? 0) - (lo[i] ?? 0) + 1);
    return sum;
  }

  /** Derives the holes. */
  finish(): FreshClaim {
    for (let gap = this.#gaps.pop(); gap !== undefined; gap = this.#gaps.pop()) {
      this.#settle(gap);
      this.#closed.push(gap);
    }
    const { lo, hi, choices, trip } = this.#state;
    const own: Omit<PartClaim, 'holes'> = { lo, hi, choices, rules: this.#rules };
    assertOwn(own, trip.run.point);
    const gaps = this.#closed.reverse();
    const rest = freshHoles(this.#state, gaps);
    const few: PartHole[] = [];
    // A few are written at once: then nothing of the trip need be kept for them.
    for (let next = rest.next(); next.done !== true; next = rest.next()) {
      few.push(next.value);
      if (few.length === writtenAtOnce) return new OpenClaim(own, this.#state, gaps, chained(few, rest));
    }
    return { lo, hi, choices, rules: this.#rules, holes: few.toReversed(), hasMany: false, holeCount: few.length, fromLast: few.values() };
  }

  #need(origins: Origins, d: number): void {
    const { stages, by } = origins.of(d);
    for (let bits = stages; bits !== 0; bits &= bits - 1) this.#ensure(31 - Math.clz32(bits & -bits), by);
  }

  /** Whatever the stage writes of these it writes for all packets of the claim. */
  #ensure(at: number, by: number): void {
    const mask = this.#state.makeSure(at, by);
    if (mask !== 0) this.#aim(this.#state.stage(at), { mask, isWrite: true, leads: undefined });
  }

  #aim(run: StageRun, aim: Aim): void {
    const { stage, frame } = run;
    const { pipeline: { chains }, trip } = this.#state;
    // What comes back is what it is because of the state in which the first packet left its connection.
    if (run.isReply) this.same(trip.leaving, chains.dimensions.fields.get('ctstate')?.[0] ?? 0, trip.state, trip.state);
    const isRelevant = (stage.does & aim.mask) !== 0 || aim.leads !== undefined || aim.isAlike === true;
    if (!isRelevant && !run.dropped) return;
    if (stage.byState) {
      const state = chains.dimensions.fields.get('ctstate')?.[0] ?? 0;
      const [low, high] = statesLike(run.state);
      this.same(run.origins, state, low, high);
    }
    if (frame === undefined) return;
    const base = chains.list[chainFor(stage, run.state)];
    const policy = base?.policy === 'DROP' ? Does.drop : Does.accept;
    const walk: Walk = { run, aim, strict: stage.strict || aim.isAlike === true, later: false };
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
    // A goto comes to the end of this chain, where the policy may be what is looked for.
    const leadsAtEnd = leadsBehind || leads.at(-1) === chain.count;
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
      const follows = here || (behind & mask) !== 0 || leadsAtEnd;
      if (this.#step(walk, frame, step, { behind, leadsBehind: leadsAtEnd, here, follows, mask, way })) pinned = true;
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
    for (const [choice, value] of choicesOf(this.#state, walk.run, frame, box)) this.#state.choices.set(choice, value);
    const rule = chain.rule[box] ?? -1;
    if (rule >= 0) this.#rules.add(rule);
  }

  /** Makes sure of the fields that tell which of the boxes in a gap could break the claim. */
  #settle(gap: Gap): void {
    for (let unsure = unsureIn(this.#state, gap); unsure >= 0; unsure = unsureIn(this.#state, gap)) this.#need(gap.origins, unsure);
  }
}

function* chained<T>(first: Iterable<T>, then: Iterator<T, void>): Generator<T, void> {
  yield* first;
  for (let next = then.next(); next.done !== true; next = then.next()) yield next.value;
}

const none: readonly number[] = [];

/** A proof that does not even hold for its own packet is wrong somewhere. */
function assertOwn(part: Part, point: Point): void {
  if (!holds(part, point)) throw new InvariantError('a packet lies outside of the part that was derived from it');
}
