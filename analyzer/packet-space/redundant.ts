/** Whether a rule that matches packets could go, and none would fare differently. */
import type { Table } from '../model/ruleset.js';
import type { Decider, Redundancy, RuleAt } from './answers.js';
import { meets, partIn, type Region } from './boxes.js';
import { Act, policyOf, type CompiledChain } from './compile.js';
import { allFates, targetEffect } from './effect.js';
import { inOrder } from './explain.js';
import { assertHolds, justify, type Claim } from './justify.js';
import { follow, markOf, placeOf, regionsOf, searchAll, type HookRegions, type RulePlace } from './question.js';
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
  const number = known.numbers.get(at.rule);
  if (known.compiled.cyclic || number === undefined) return { kind: 'undecided' };
  const place = placeOf(known, number);
  const hooks = regionsOf(known, place);
  const effect = targetEffect(at.rule.target);
  const { chain, index } = place;
  const isSoft = chain.soft.subarray(chain.start[index] ?? 0, chain.start[index + 1] ?? 0).includes(1);
  if (effect === 'return' && !isSoft) return chainGoesOnAlike(known, place) ?? byEveryHook(known, place, hooks, compareReturn);
  if (isSoft || (effect !== 'accept' && effect !== 'drop' && effect !== 'reject')) return needed(known, hooks);
  return byEveryHook(known, place, hooks, compareFate);
}

/** How a rule's packets fare is compared by following one of them; `deciders` gathers who decides without the rule. */
type Compare = (space: TableSpace, place: RulePlace, hook: HookRegions, deciders: Set<number>) => (point: Int32Array, region: Region) => Examined;

function byEveryHook(space: TableSpace, place: RulePlace, hooks: readonly HookRegions[], compare: Compare): Redundancy {
  if (space.left <= 0) return { kind: 'undecided' };
  const budget = freshBudget();
  const before = budget.work;
  const answer = byHooks(space, place, hooks, compare, budget);
  space.left -= before - budget.work;
  return answer;
}

function byHooks(space: TableSpace, place: RulePlace, hooks: readonly HookRegions[], compare: Compare, budget: Budget): Redundancy {
  const because: Decider[] = [];
  const rules = new Set<number>();
  for (const hook of hooks) {
    const deciders = new Set<number>();
    const examine = compare(space, place, hook, deciders);
    const outcome = searchAll(hook.regions, budget, examine);
    if (outcome.kind === 'undecided') return outcome;
    if (outcome.kind === 'found') {
      const { region } = outcome;
      return { kind: 'needed', get witness() { return sampleOf(space.compiled, outcome, point => examine(point, region).found); } };
    }
    for (const rule of deciders) {
      if (rule >= 0) rules.add(rule);
      else because.push(policyOf(space.compiled, hook.base));
    }
  }
  return { kind: 'redundant', because: [...inOrder(space, rules), ...because] };
}

function needed(space: TableSpace, hooks: readonly HookRegions[]): Redundancy {
  const region = hooks.flatMap(hook => hook.regions)[0];
  return { kind: 'needed', get witness() { return region === undefined ? {} : sampleOf(space.compiled, { point: region.lo, region }, () => true); } };
}

/** A rule that ends the traversal: without it, may any packet that it decides end in another fate, or be noticed on the way? */
const compareFate: Compare = (space, place, { base }, deciders) => {
  const { compiled } = space;
  const fate = place.chain.bits[place.chain.start[place.index] ?? 0] ?? 0;
  const goals = compiled.fates.isOneFate(fate) ? allFates & ~fate : allFates;
  const query = makeQuery(compiled, base, { mark: markOf(space, place, 'start'), goals });
  return (point, region) => {
    const examined = follow(query, point, region);
    for (const decider of examined.run.deciders) deciders.add(decider);
    return examined;
  };
};

/** A RETURN: does every packet that it sends back end alike with and without it? */
const compareReturn: Compare = (space, place, { base }, deciders) => {
  const { compiled } = space;
  const marks = (['start', 'start-return'] as const).map(does => markOf(space, place, does));
  const run = (mark: Mark, point: Int32Array, goals: number): Traversal => new Traversal(makeQuery(compiled, base, { mark, goals, thorough: true }), point);
  return (point, region) => {
    const first = marks.map(mark => run(mark, point, 0));
    const seen = first.reduce((all, one) => all | one.seen, 0);
    const work = first.reduce((sum, one) => sum + one.work, 0);
    if (seen !== 0 && ((seen & (seen - 1)) !== 0 || !compiled.fates.isOneFate(seen))) return { found: true, claim: undefined, work };
    const claims = marks.map(mark => justify(run(mark, point, allFates & ~seen), point, region));
    for (const decider of first[0]?.deciders ?? []) deciders.add(decider);
    return { found: false, claim: claims.reduce((a, b) => both(a, b, point)), work: 2 * work };
  };
};

/** What two claims put aside together. */
function both(a: Claim, b: Claim, point: Int32Array): Claim {
  const claim: Claim = {
    lo: a.lo.map((low, d) => Math.max(low, b.lo[d] ?? 0)), hi: a.hi.map((high, d) => Math.min(high, b.hi[d] ?? 0)),
    holes: [...a.holes, ...b.holes], rules: new Set([...a.rules, ...b.rules]),
  };
  assertHolds(claim, point);
  return claim;
}

/** A RETURN behind which its chain does nothing for its packets but return. */
function chainGoesOnAlike(space: TableSpace, { chain, index }: RulePlace): Redundancy | undefined {
  const everything = { lo: new Int32Array(space.compiled.dimensions.last.length), hi: space.compiled.dimensions.last.slice() };
  const because = new Set<number>();
  for (let own = chain.start[index] ?? 0; own < (chain.start[index + 1] ?? 0); own++) {
    const region = partIn(everything, chain, own);
    if (region === undefined) continue;
    for (let box = chain.start[index + 1] ?? 0; box < chain.count; box++) {
      if (chain.act[box] === Act.Skip || !meets(chain, box, region)) continue;
      if (chain.act[box] !== Act.Return) return undefined;
      because.add(chain.rule[box] ?? 0);
    }
  }
  return { kind: 'redundant', because: [...inOrder(space, because), ...policyBehind(space, chain)] };
}

function policyBehind({ compiled }: TableSpace, chain: CompiledChain): Decider[] {
  return chain.chain.hook === undefined ? [] : [policyOf(compiled, chain)];
}
