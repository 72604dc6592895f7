/**
 * One packet's ways through a built-in chain, as ipt_do_table (net/ipv4/netfilter/ip_tables.c) leads it: rules in
 * order, the first that ends decides, jumps come back behind the jump, gotos behind the jump before them.
 *
 * A rule that hangs on something unknown may match or not; the packet then has several ways, and what is asked is
 * whether one of them gets where the question points. So that nothing need be tried twice, a traversal carries a
 * level: 0 where no way leads on, 1 where one does, 2 where one does that has passed the question's start mark.
 * A higher level can do all that a lower one can, and chains remember nothing else, so each chain is run at most
 * once for each level.
 */
import type { BoxIndex } from './box-index.js';
import { Act, type CompiledChain } from './compile.js';
import { fateBits } from './effect.js';
import { indexFor, type Query } from './query.js';

export const stopAtMark = -2;
const runThrough = -1;
/** Up to so many frames are looked through one by one. */
const few = 8;

/** A box that was matched and led on. */
export interface Step {
  readonly box: number;
  /** Before it. */
  readonly level: number;
}

const noSteps: Step[] = [];

/** One chain, run at one level. */
export interface Frame {
  readonly chain: CompiledChain;
  readonly level: number;
  /** The level with which the chain is left. */
  out: number;
  steps: Step[];
  /** The box that ended the run, `stopAtMark`, or -1 where it ran through. */
  stop: number;
  /** The level before the stop, or at the chain's end. */
  now: number;
  /** From this box on the level is 2. */
  rise: number;
  at: number;
  /** The call that is waited for. */
  waiting: number;
  crossed: boolean;
  /** The strongest claim that was asked of the run so far. */
  asked: number;
}

export type Goal = { readonly kind: 'mark' } | { readonly kind: 'policy' } | { readonly kind: 'rule'; readonly rule: number };

export class Traversal {
  readonly query: Query;
  goal: Goal | undefined;
  /** Fates that ways past the start mark had. */
  seen = 0;
  /** The rules that ended ways for certain past the start mark; -1 for the policy. */
  readonly deciders: number[] = [];
  /** Boxes looked up: the cost. */
  work = 0;
  readonly #frames: Frame[] = [];
  /** By chain · 4 + level; only where there are many. */
  #byKey: Map<number, Frame> | undefined;
  readonly #point: Int32Array;

  constructor(query: Query, point: Int32Array) {
    this.query = query;
    this.#point = point;
    this.#run();
  }

  frame(chain: number, level: number): Frame | undefined {
    if (this.#byKey !== undefined) return this.#byKey.get(chain * 4 + level);
    for (const frame of this.#frames) if (frame.chain.id === chain && frame.level === level) return frame;
    return undefined;
  }

  frames(): readonly Frame[] {
    return this.#frames;
  }

  #open(chain: number, level: number): Frame {
    const compiled = this.query.compiled.chains[chain];
    if (compiled === undefined) throw new RangeError(`chain ${String(chain)}`);
    const frame: Frame = { chain: compiled, level, out: 0, steps: noSteps, stop: runThrough, now: level, rise: level === 2 ? 0 : compiled.to + 1, at: compiled.from, waiting: -1, crossed: false, asked: 3 };
    this.#frames.push(frame);
    if (this.#byKey !== undefined) this.#byKey.set(chain * 4 + level, frame);
    else if (this.#frames.length > few) this.#byKey = new Map(this.#frames.map(one => [one.chain.id * 4 + one.level, one]));
    return frame;
  }

  #run(): void {
    const { query } = this;
    const base = this.#open(query.base, query.mark === undefined || query.mark.does === 'goal' ? 2 : 1);
    const stack = [base];
    for (let frame = stack.at(-1); frame !== undefined && this.goal === undefined; frame = stack.at(-1)) {
      const callee = this.#advance(frame);
      if (callee === undefined) stack.pop();
      else stack.push(callee);
    }
    if (this.goal !== undefined || base.out < 2) return;
    this.seen |= query.policy;
    this.deciders.push(-1);
    if ((query.policy & query.goals) !== 0) this.goal = { kind: 'policy' };
  }

  /** Runs a chain until it is done (undefined) or calls a chain that was not run yet. */
  #advance(frame: Frame): Frame | undefined {
    for (;;) {
      if (frame.waiting >= 0) {
        const box = frame.waiting;
        const { callee } = this.query.compiled.boxes;
        const below = this.frame(callee[box] ?? 0, frame.now);
        if (below === undefined) return this.#open(callee[box] ?? 0, frame.now);
        frame.waiting = -1;
        if (this.#comeBack(frame, box, below.out)) return undefined;
        continue;
      }
      const box = this.#next(frame);
      if (this.goal !== undefined) return undefined;
      if (box >= frame.chain.to || box === stopAtMark) {
        frame.out = Math.max(frame.out, frame.now);
        frame.stop = box === stopAtMark ? stopAtMark : runThrough;
        return undefined;
      }
      if (this.#meet(frame, box)) return undefined;
    }
  }

  /** The next box that the packet matches; passes the mark if that comes first. */
  #next(frame: Frame): number {
    const { query } = this;
    const { mark } = query;
    const { chain } = frame;
    const index: BoxIndex = indexFor(query, chain, frame.now);
    this.work++;
    if (mark?.chain !== chain.id || frame.crossed || frame.at > mark.from) return index.first(this.#point, frame.at, chain.to);
    const box = index.first(this.#point, frame.at, mark.from);
    if (box < mark.from) return box;
    frame.crossed = true;
    if (mark.does === 'goal') {
      this.goal = { kind: 'mark' };
      return stopAtMark;
    }
    this.#raise(frame, 2, mark.from);
    frame.at = mark.to;
    return mark.does === 'start-return' ? stopAtMark : this.#next(frame);
  }

  #raise(frame: Frame, level: number, from: number): void {
    if (level > frame.now && level === 2) frame.rise = from;
    frame.now = level;
  }

  /** Goes through one matched box; true where the chain ends there. */
  #meet(frame: Frame, box: number): boolean {
    const { query } = this;
    const { boxes, start } = query.compiled;
    const rule = boxes.rule[box] ?? 0;
    const soft = boxes.soft[box] === 1 || query.only?.has(rule) === false;
    const act = boxes.act[box] ?? 0;
    frame.at = start[rule + 1] ?? 0;
    switch (act) {
      case Act.End: case Act.Maybe: case Act.Side: return this.#ending(frame, box, rule, soft || act !== Act.End);
      case Act.Return:
        if (soft && query.strict) return this.#stop(frame, box);
        frame.out = Math.max(frame.out, frame.now);
        if (!soft) return this.#stop(frame, box);
        noteStep(frame, box);
        return false;
      default: return this.#call(frame, box, soft);
    }
  }

  #stop(frame: Frame, box: number): true {
    frame.stop = box;
    return true;
  }

  #ending(frame: Frame, box: number, rule: number, may: boolean): boolean {
    const { query } = this;
    const bits = query.compiled.boxes.bits[box] ?? 0;
    const counts = frame.now === 2;
    const isGoal = (bits & query.goals) !== 0;
    if (counts) this.seen |= bits;
    if (query.strict && may) return isGoal || bits === fateBits.side ? false : this.#stop(frame, box);
    if (counts && isGoal) {
      this.goal = { kind: 'rule', rule };
      return true;
    }
    if (may) return false;
    if (counts) this.deciders.push(rule);
    return this.#stop(frame, box);
  }

  /** Whether running the callee could tell anything. */
  #matters(callee: CompiledChain, level: number): boolean {
    const { query } = this;
    if (query.mark?.ways.has(callee.id) === true || callee.canStop) return true;
    return (callee.fates & (query.strict || (query.thorough && level === 2) ? -1 : level === 2 ? query.goals : 0)) !== 0;
  }

  #call(frame: Frame, box: number, soft: boolean): boolean {
    const { query } = this;
    const { boxes, chains } = query.compiled;
    const callee = chains[boxes.callee[box] ?? 0];
    if (callee === undefined) return false;
    const isGoto = boxes.act[box] === Act.Goto;
    if (soft && query.strict) {
      if (isGoto || (callee.fates & ~(fateBits.side | query.goals)) !== 0) return this.#stop(frame, box);
      // Whoever follows it fares as asked or comes back, so that whoever does not decides.
      if (frame.now === 2 && query.mark?.ways.has(callee.id) !== true) return false;
    }
    if (this.#matters(callee, frame.now)) {
      frame.waiting = box;
      return false;
    }
    return isGoto ? this.#comeBack(frame, box, frame.now) : false;
  }

  /** Behind a call; true where the chain ends there. */
  #comeBack(frame: Frame, box: number, out: number): boolean {
    const { boxes, start } = this.query.compiled;
    const rule = boxes.rule[box] ?? 0;
    const soft = boxes.soft[box] === 1 || this.query.only?.has(rule) === false;
    if (boxes.act[box] === Act.Goto) {
      frame.out = Math.max(frame.out, out);
      if (!soft) return this.#stop(frame, box);
    } else if (!soft && out === 0) return this.#stop(frame, box);
    noteStep(frame, box);
    if (boxes.act[box] === Act.Jump) this.#raise(frame, soft ? Math.max(frame.now, out) : out, start[rule + 1] ?? 0);
    return false;
  }
}

function noteStep(frame: Frame, box: number): void {
  if (frame.steps === noSteps) frame.steps = [{ box, level: frame.now }];
  else frame.steps.push({ box, level: frame.now });
}
