/** Whether a rule that matches packets could go, and none would fare differently. */
import type { Table } from '../model/ruleset.js';
import type { Decider, Redundancy, RuleAt } from './answers.js';
import { contains, partIn, type Region } from './boxes.js';
import { Act, policyOf, type CompiledChain, type CompiledTable } from './compile.js';
import { allFates, leads, targetEffect } from './effect.js';
import { inOrder } from './explain.js';
import { assertHolds, justify, type Claim } from './justify.js';
import { follow, markOf, numberOf, placeOf, regionsOf, searchAll, type HookRegions, type RulePlace } from './question.js';
import { sampleOf } from './sample.js';
import { freshBudget, type Budget, type Examined } from './search.js';
import { makeQuery, spaceOf, type PacketSpace, type TableSpace } from './space.js';
import type { Mark } from './query.js';
import { Traversal } from './traverse.js';

/**
 * What happens on the way (logging, marking) counts as faring: a rule that keeps packets from being logged is needed.
 * So is a rule that hangs on something unknown, for to ask may itself have an effect (`recent`, `limit`).
 */
export function redundant(space: PacketSpace, table: Table, at: RuleAt): Redundancy {
  const known = spaceOf(space, table);
  const number = numberOf(known, at);
  if (known.compiled.cyclic || number === undefined) return { kind: 'undecided' };
  const place = placeOf(known, number);
  const effect = targetEffect(at.rule.target);
  const isSoft = hasSoftBox(known, number);
  if (effect === 'return' && !isSoft) return chainGoesOnAlike(known, place) ?? byFoundPacket(known, place, compareReturn) ?? byEveryHook(known, place, compareReturn);
  if (isSoft || (effect !== 'accept' && effect !== 'drop' && effect !== 'reject')) return needed(known, place);
  return byFoundPacket(known, place, compareFate) ?? byEveryHook(known, place, compareFate);
}

function hasSoftBox({ compiled: { boxes, start } }: TableSpace, number: number): boolean {
  for (let box = start[number] ?? 0, end = start[number + 1] ?? 0; box < end; box++) if (boxes.soft[box] === 1) return true;
  return false;
}

/** How a rule's packets fare with it and without. */
interface Comparison {
  readonly differs: (point: Int32Array) => boolean;
  /** The same, and where it does not differ, for which packets neither. */
  readonly examine: (point: Int32Array, region: Region) => Examined;
}

/** `deciders` gathers who decides without the rule. */
type Compare = (space: TableSpace, place: RulePlace, base: CompiledChain, deciders: Set<number> | undefined) => Comparison;

/** Most rules are needed, and often the packet that showed that they are reached shows that, too. */
function byFoundPacket(space: TableSpace, place: RulePlace, compare: Compare): Redundancy | undefined {
  const { hook = -1, point } = space.found.of(place.number) ?? {};
  const built = space.built[hook];
  if (point === undefined || built === undefined) return undefined;
  const examine = compare(space, place, built.chain, undefined);
  if (!examine.differs(point)) return undefined;
  return {
    kind: 'needed', get witness() {
      const region = regionsOf(space, place, built.hook).flatMap(one => one.regions).find(one => contains(one, { lo: point, hi: point }));
      return sampleOf(space.compiled, { point, region: region ?? { lo: point, hi: point } }, examine.differs);
    },
  };
}

function byEveryHook(space: TableSpace, place: RulePlace, compare: Compare): Redundancy {
  if (space.left <= 0) return { kind: 'undecided' };
  const budget = freshBudget();
  const before = budget.work;
  const answer = byHooks(space, place, regionsOf(space, place), compare, budget);
  space.left -= before - budget.work;
  return answer;
}

function byHooks(space: TableSpace, place: RulePlace, hooks: readonly HookRegions[], compare: Compare, budget: Budget): Redundancy {
  const because: Decider[] = [];
  const rules = new Set<number>();
  for (const hook of hooks) {
    const deciders = new Set<number>();
    const comparison = compare(space, place, hook.base, deciders);
    const outcome = searchAll(space, hook.regions, budget, comparison.examine);
    if (outcome.kind === 'undecided') return outcome;
    if (outcome.kind === 'found') {
      return { kind: 'needed', get witness() { return sampleOf(space.compiled, outcome, comparison.differs); } };
    }
    for (const rule of deciders) {
      if (rule >= 0) rules.add(rule);
      else because.push(policyOf(space.compiled, hook.base));
    }
  }
  return { kind: 'redundant', because: [...inOrder(space, rules), ...because] };
}

function needed(space: TableSpace, place: RulePlace): Redundancy {
  return {
    kind: 'needed', get witness() {
      const [region] = regionsOf(space, place).flatMap(hook => hook.regions);
      return region === undefined ? {} : sampleOf(space.compiled, { point: region.lo, region }, () => true);
    },
  };
}

/** A rule that ends the traversal: without it, may any packet that it decides end in another fate, or be noticed on the way? */
const compareFate: Compare = (space, place, base, deciders) => {
  const { compiled } = space;
  const fate = compiled.boxes.bits[compiled.start[place.number] ?? 0] ?? 0;
  const goals = compiled.fates.isOneFate(fate) ? allFates & ~fate : allFates;
  const query = makeQuery(compiled, base, { mark: markOf(space, place, 'start'), goals });
  return {
    differs: point => new Traversal(query, point).goal !== undefined,
    examine: (point, region) => {
      const examined = follow(query, point, region);
      for (const decider of examined.run.deciders) deciders?.add(decider);
      return examined;
    },
  };
};

/** A RETURN: does every packet that it sends back end alike with and without it? */
const compareReturn: Compare = (space, place, base, deciders) => {
  const { compiled } = space;
  const marks = (['start', 'start-return'] as const).map(does => markOf(space, place, does));
  const run = (mark: Mark, point: Int32Array, goals: number): Traversal => new Traversal(makeQuery(compiled, base, { mark, goals, thorough: true }), point);
  const fatesOf = (runs: readonly Traversal[]): number => runs.reduce((all, one) => all | one.seen, 0);
  const isOne = (seen: number): boolean => seen === 0 || ((seen & (seen - 1)) === 0 && compiled.fates.isOneFate(seen));
  return {
    differs: point => !isOne(fatesOf(marks.map(mark => run(mark, point, 0)))),
    examine: (point, region) => {
      const first = marks.map(mark => run(mark, point, 0));
      const seen = fatesOf(first);
      const work = first.reduce((sum, one) => sum + one.work, 0);
      if (!isOne(seen)) return { found: true, claim: undefined, work };
      const claims = marks.map(mark => justify(run(mark, point, allFates & ~seen), point, region));
      for (const decider of first[0]?.deciders ?? []) deciders?.add(decider);
      return { found: false, claim: claims.reduce((a, b) => both(compiled, a, b, point)), work: 2 * work };
    },
  };
};

/** What two claims put aside together. */
function both({ boxes }: CompiledTable, a: Claim, b: Claim, point: Int32Array): Claim {
  const claim: Claim = {
    lo: a.lo.map((low, d) => Math.max(low, b.lo[d] ?? 0)), hi: a.hi.map((high, d) => Math.min(high, b.hi[d] ?? 0)),
    holes: [...a.holes, ...b.holes], gaps: [...a.gaps, ...b.gaps], rules: [...a.rules, ...b.rules],
  };
  assertHolds(boxes, claim, point);
  return claim;
}

/** A RETURN behind which its chain does nothing for its packets but return. */
function chainGoesOnAlike(space: TableSpace, { chain, number }: RulePlace): Redundancy | undefined {
  const { boxes, start, dimensions } = space.compiled;
  const everything = { lo: new Int32Array(dimensions.last.length), hi: dimensions.last };
  const because = new Set<number>();
  const behind = start[number + 1] ?? 0;
  for (let own = start[number] ?? 0; own < behind; own++) {
    const region = partIn(everything, boxes, own);
    if (region === undefined) continue;
    if (chain.full.any(region, allFates, behind, chain.to)) return undefined;
    for (const box of chain.full.meeting(region, leads, behind, chain.to)) {
      if (boxes.act[box] !== Act.Return) return undefined;
      because.add(boxes.rule[box] ?? 0);
    }
  }
  return { kind: 'redundant', because: [...inOrder(space, because), ...policyBehind(space, chain)] };
}

function policyBehind({ compiled }: TableSpace, chain: CompiledChain): Decider[] {
  return chain.chain.hook === undefined ? [] : [policyOf(compiled, chain)];
}
