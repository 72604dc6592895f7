/** Which rules packets can match at all. */
import type { Hook } from '../extensions/define.js';
import type { Rule, Table } from '../model/ruleset.js';
import type { Constraint } from '../packet/constraint.js';
import type { PacketSample, Reach, RuleAt } from './answers.js';
import { contains, type Region } from './boxes.js';
import { explain, inOrder, provesDead } from './explain.js';
import { packetsOf } from './packets.js';
import { arrival, follow, numberOf, placeOf, regionsOf, searchAll, type Found, type HookRegions, type RulePlace } from './question.js';
import { sampleOf } from './sample.js';
import { freshBudget, type Budget } from './search.js';
import { callingRules, foundCaller, spaceOf, type PacketSpace, type TableSpace } from './space.js';
import { isImpossible } from './tracked-states.js';
import { Traversal } from './traverse.js';

/** Look-ups for all rules of a table together: what is left then is undecided. */
const tableBudget = 10_000_000;

type Live = Extract<Reach, { kind: 'live' }>;
const undecided: Reach = { kind: 'undecided' };
const contradiction: Reach = { kind: 'contradiction' };

/** For every rule of a table, whether some packet matches it. */
export function reach(space: PacketSpace, table: Table): ReadonlyMap<Rule, Reach> {
  const known = spaceOf(space, table);
  const { compiled, found } = known;
  const dead = new Map<number, Reach>();
  let left = tableBudget;
  for (const id of compiled.cyclic ? [] : compiled.order) {
    const chain = compiled.chains[id];
    if (chain === undefined) continue;
    const unreachable = chainAnswer(known, placeOf(known, chain.firstRule), dead);
    // From the end: the way to the last rule tells of many before it.
    for (let number = chain.firstRule + chain.chain.rules.length - 1; number >= chain.firstRule; number--) {
      if (found.has(number)) continue;
      const budget = freshBudget();
      const before = budget.work;
      const answer = compiled.start[number] === compiled.start[number + 1] ? contradiction : unreachable ?? (left <= 0 ? undecided : guess(known, { number, chain }, budget) ?? decide(known, { number, chain }, regionsOf(known, { number, chain }), budget));
      if (answer.kind !== 'live') dead.set(number, answer);
      left -= before - budget.work;
    }
  }
  return answersOf(known, dead);
}

function answersOf(space: TableSpace, dead: ReadonlyMap<number, Reach>): ReadonlyMap<Rule, Reach> {
  const answers = new Map<Rule, Reach>();
  for (const { chain, firstRule } of space.compiled.chains) {
    for (let i = 0; i < chain.rules.length; i++) {
      const rule = chain.rules[i];
      if (rule !== undefined) answers.set(rule, space.found.has(firstRule + i) ? new LiveRule(space, firstRule + i) : dead.get(firstRule + i) ?? undecided);
    }
  }
  return answers;
}

/** Whether some packet of `packets` matches a rule, in one hook or in any. */
export function reachWith(space: PacketSpace, table: Table, at: RuleAt, packets: Constraint, hook?: Hook): Reach {
  const known = spaceOf(space, table);
  const number = numberOf(known, at);
  if (known.compiled.cyclic || number === undefined) return undecided;
  const place = placeOf(known, number);
  const asked = packetsOf(known.compiled.dimensions, packets);
  return decide(known, place, regionsOf(known, place, hook, asked.regions), freshBudget(), asked.constraint);
}

/** Whether some packet matches one rule. */
export function reachOne(space: TableSpace, place: RulePlace, budget: Budget): Reach {
  if (space.found.has(place.number)) return new LiveRule(space, place.number);
  return guess(space, place, budget) ?? decide(space, place, regionsOf(space, place), budget);
}

/** What is true of every rule of a chain to which no packet can come; undefined where one may. */
function chainAnswer(space: TableSpace, place: RulePlace, dead: ReadonlyMap<number, Reach>): Reach | undefined {
  const { chain } = place;
  if (chain.chain.hook !== undefined || chain.chain.rules.length === 0) return undefined;
  if (regionsOf(space, place).length === 0) return { kind: 'unreachable-chain', by: [] };
  const callers = callingRules(space, chain.id);
  const isDead = (caller: number): boolean => dead.has(caller) && dead.get(caller)?.kind !== 'undecided';
  return callers.every(isDead) ? { kind: 'unreachable-chain', by: inOrder(space, callers.filter(caller => hasHook(space, caller))) } : undefined;
}

function hasHook(space: TableSpace, rule: number): boolean {
  return regionsOf(space, placeOf(space, rule)).length > 0;
}

/** A packet that gets to the rule behind, or to a jump to the chain, is nearly one that gets here: that is tried first. */
function guess(space: TableSpace, place: RulePlace, budget: Budget): Reach | undefined {
  const { number, chain } = place;
  const isLast = number + 1 === chain.firstRule + chain.chain.rules.length;
  const near = (isLast ? undefined : space.found.of(number + 1)) ?? space.found.of(foundCaller(space, chain.id));
  const built = space.built[near?.hook ?? -1];
  if (near === undefined || built === undefined) return undefined;
  for (const hook of regionsOf(space, place, built.hook)) {
    const query = arrival(space, place, hook.base);
    for (const region of hook.regions) {
      const point = nearest(near.point, region);
      if (isImpossible(space.compiled.dimensions.tracked, { lo: point, hi: point })) continue;
      const run = new Traversal(query, point);
      budget.work -= run.work;
      if (run.goal === undefined) continue;
      noteWay(space, number, hook, point, run);
      return new LiveRule(space, number);
    }
  }
  return undefined;
}

/** The packet of a region that differs from another in no more than it must. */
function nearest(point: Int32Array, { lo, hi }: Region): Int32Array {
  const moved = point.slice();
  for (let d = 0; d < moved.length; d++) moved[d] = Math.min(Math.max(moved[d] ?? 0, lo[d] ?? 0), hi[d] ?? 0);
  return moved;
}

/** Asked of a rule's own packets, or of those that a question names (`asked`). */
function decide(space: TableSpace, place: RulePlace, hooks: readonly HookRegions[], budget: Budget, asked?: Constraint): Reach {
  const used = new Set<number>();
  let open = false;
  let last: Traversal | undefined;
  if (hooks.every(({ none }) => none)) return contradiction;
  for (const hook of hooks) {
    const query = arrival(space, place, hook.base);
    const outcome = searchAll(space, hook.regions, budget, (point, region) => {
      const examined = follow(query, point, region, used);
      last = examined.run;
      return examined;
    });
    if (outcome.kind === 'found') {
      if (asked !== undefined) return askedLive(space, place, hook, outcome, asked);
      noteWay(space, place.number, hook, outcome.point, last);
      return new LiveRule(space, place.number);
    }
    open ||= outcome.kind === 'undecided';
  }
  if (open) return undecided;
  // Even if every other rule were missing, no jump would lead these packets here.
  if (used.size === 0 || provesDead(space, place, hooks, new Set(), budget) !== undefined) {
    return { kind: 'unreachable-chain', by: inOrder(space, callingRules(space, place.chain.id).filter(caller => hasHook(space, caller))) };
  }
  return { kind: 'shadowed', by: explain(space, place, hooks, used, budget) };
}

/** Its sample is made when it is looked at: most never are, and there is one such answer for each rule. */
class LiveRule implements Live {
  readonly kind = 'live';
  readonly hook: Hook;
  readonly #space: TableSpace;
  readonly #rule: number;
  #sample: PacketSample | undefined;

  constructor(space: TableSpace, rule: number) {
    this.#space = space;
    this.#rule = rule;
    this.hook = space.built[space.found.hookOf(rule)]?.hook ?? 'INPUT';
  }

  get witness(): PacketSample {
    return this.#sample ??= sampleOfRule(this.#space, this.#rule);
  }
}

function sampleOfRule(space: TableSpace, rule: number): PacketSample {
  const { hook = 0, point = new Int32Array(0) } = space.found.of(rule) ?? {};
  const place = placeOf(space, rule);
  const built = space.built[hook];
  if (built === undefined) return {};
  const own = regionsOf(space, place, built.hook).flatMap(one => one.regions).find(one => contains(one, { lo: point, hi: point }));
  const query = arrival(space, place, built.chain);
  return sampleOf(space.compiled, { point, region: own ?? { lo: point, hi: point } }, one => new Traversal(query, one).goal !== undefined);
}

function askedLive(space: TableSpace, place: RulePlace, { hook, base }: HookRegions, found: Found, asked: Constraint): Live {
  let sample: PacketSample | undefined;
  const query = arrival(space, place, base);
  return { kind: 'live', hook, get witness() { return sample ??= sampleOf(space.compiled, found, one => new Traversal(query, one).goal !== undefined, asked); } };
}

/** What a packet matched on its way is live too, and by the same packet: jumps above all, and what led it on. */
function noteWay(space: TableSpace, rule: number, { hook }: HookRegions, point: Int32Array, run: Traversal | undefined): void {
  const { found, compiled: { boxes } } = space;
  const packet = found.keep(space.built.findIndex(one => one.hook === hook), point);
  found.note(rule, packet);
  const note = (box: number): void => {
    const met = boxes.rule[box] ?? 0;
    if (box >= 0 && !found.has(met)) found.note(met, packet);
  };
  for (const { steps, waiting, stop } of run?.frames() ?? []) {
    for (const { box } of steps) note(box);
    note(waiting);
    note(stop);
  }
}
