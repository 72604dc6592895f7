/** Looks for packets that two rule sets treat differently, among those that come to a rule which only one of them has there. */
import { Justifier, type PartClaim } from '../claim.js';
import { missesRule, sawIn } from '../goals.js';
import { boxOf, isIn, type Box } from '../fates/box.js';
import { Ends } from '../fates/outcome.js';
import type { Joint } from '../joint.js';
import { follow, type Trip } from '../passes.js';
import { OutOfBudget } from '../run.js';
import type { SolveBudget } from '../solve.js';
import type { Path } from '../stages.js';
import { contains, type Classes, type Part } from '../part.js';
import { pointIn, restOf, type Space } from './rest.js';
import { alike, unlike, type Compared, type TwoReasons } from './same.js';
import type { Watch } from '../watch.js';

/** Packets that fare differently, all in the same way. */
export interface Found {
  readonly path: Path;
  readonly space: Space;
  readonly box: Box;
  readonly claim: PartClaim;
  readonly trips: readonly [Trip, Trip];
}

/** Packets that are to be looked at: with `watch`, only those that match the rule in rule set `side`. */
export interface Question {
  readonly side: 0 | 1;
  readonly path: Path;
  readonly space: Space;
  readonly watch: Watch | undefined;
  readonly parts: readonly Part[];
}

interface Task {
  readonly part: Part;
  /** All that it was cut into lies above it on the stack. */
  readonly isDone: boolean;
}

const remembered = 128;

export class Search {
  readonly found: Found[] = [];
  readonly ends: readonly [Ends, Ends];
  readonly #joint: Joint;
  readonly #budget: SolveBudget;
  readonly #limit: number;

  /** Stops when more than `limit` cases are found. */
  constructor(joint: Joint, budget: SolveBudget, limit: number) {
    this.#joint = joint;
    this.#budget = budget;
    this.#limit = limit;
    this.ends = [new Ends(joint.sides[0].chains), new Ends(joint.sides[1].chains)];
  }

  get isFull(): boolean {
    return this.found.length > this.#limit;
  }

  /** False where the budget did not suffice, or there are more cases than are wanted. `packets`: how many this question may follow. */
  ask(question: Question, packets: number): boolean {
    let left = packets;
    for (const part of question.parts) {
      const stack: Task[] = [{ part, isDone: false }];
      const proven: Part[] = [];
      for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
        if (task.isDone) {
          if (proven.length === remembered) proven.shift();
          proven.push(task.part);
          continue;
        }
        const own = task.part;
        const inputs = pointIn(question.space, own);
        if (inputs === undefined || proven.some(one => contains(one, own))) continue;
        if (left-- <= 0 || this.#budget.packets-- <= 0 || this.#budget.work <= 0 || this.isFull) return false;
        const claim = this.#try(question, own, inputs);
        if (claim === undefined) return false;
        const { around, holes } = restOf(own, claim);
        this.#budget.work -= claim.holes.length;
        if (around.length + holes.length > 1) stack.push({ part: own, isDone: true });
        for (const one of around) stack.push({ part: one, isDone: false });
        for (const one of holes) stack.push({ part: one, isDone: false });
      }
    }
    return true;
  }

  /** Follows one packet of a part; what can be put aside then. Undefined where it meets too many rules. */
  #try({ side, path, space, watch }: Question, part: Part, inputs: Classes): PartClaim | undefined {
    const { sides } = this.#joint;
    const point = { inputs, choices: part.choices };
    try {
      const own = follow(sides[side], path, point, { watch });
      this.#budget.work -= own.run.work;
      if (watch !== undefined && !sawIn(own, 0, own.backFrom)) return this.#missed(side, own, watch, part);
      const other = follow(sides[side === 0 ? 1 : 0], path, point);
      this.#budget.work -= other.run.work;
      const known = this.found.find(one => one.path === path && isIn(one.box, inputs, part.choices));
      if (known !== undefined) return common(part, known.claim);
      const compared: Compared = { joint: this.#joint, ends: this.ends, path, trips: side === 0 ? [own, other] : [other, own] };
      const reasons = alike(compared);
      const claim = this.#claim(compared, reasons ?? unlike(compared), part);
      if (reasons === undefined) this.found.push({ path, space, box: boxOf(space, claim), claim, trips: compared.trips });
      return claim;
    } catch (error) {
      if (error instanceof OutOfBudget) return undefined;
      throw error;
    }
  }

  /** The reason that puts most aside. */
  #missed(side: 0 | 1, trip: Trip, watch: Watch, part: Part): PartClaim {
    const { sides } = this.#joint;
    let best: Justifier | undefined;
    for (const reason of missesRule(trip, watch.leads, sides[side].chains, 0, trip.backFrom)) {
      const claim = new Justifier(sides[side], trip, part);
      reason(claim);
      if (best === undefined || claim.size() > best.size()) best = claim;
    }
    if (best === undefined) throw new RangeError('a rule that is missed for no reason');
    return best.finish();
  }

  /** What can be said for reasons in both. */
  #claim({ trips }: Compared, reasons: TwoReasons, part: Part): PartClaim {
    const { sides } = this.#joint;
    const left = new Justifier(sides[0], trips[0], part);
    reasons[0](left);
    const one = left.finish();
    const right = new Justifier(sides[1], trips[1], one);
    reasons[1](right);
    const both = right.finish();
    return { ...both, holes: [...one.holes, ...both.holes], rules: new Set([...one.rules, ...both.rules]) };
  }
}

/** What a claim says of a part. */
function common(part: Part, claim: PartClaim): PartClaim {
  return {
    ...claim, lo: claim.lo.map((low, i) => Math.max(low, part.lo[i] ?? 0)), hi: claim.hi.map((high, i) => Math.min(high, part.hi[i] ?? 0)),
    choices: new Map([...part.choices, ...claim.choices]),
  };
}
