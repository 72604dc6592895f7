/** Whether packets that enter a built-in chain can leave it with a certain fate. */
import type { Hook } from '../extensions/define.js';
import type { Table } from '../model/ruleset.js';
import type { Constraint } from '../packet/constraint.js';
import type { Answer, Decider, Fate } from './answers.js';
import { policyOf, ruleAt, type CompiledChain } from './compile.js';
import { inOrder } from './explain.js';
import type { Region } from './boxes.js';
import { isNothing, packetsOf } from './packets.js';
import { follow, searchAll, type Found } from './question.js';
import { sampleOf } from './sample.js';
import { freshBudget } from './search.js';
import { makeQuery, spaceOf, type PacketSpace, type TableSpace } from './space.js';
import type { Query } from './query.js';
import { Traversal } from './traverse.js';

/** A packet that is certain is only looked for; where it takes longer, one that is not will do. */
const certainBudget = { cells: 2000, work: 400_000 };

/**
 * Whether some packet of `packets` that enters the built-in chain can leave it with one of `fates`. What is unknown may
 * go either way, so that `no` is a proof.
 */
export function ask(space: PacketSpace, table: Table, chain: Hook, packets: Constraint, fates: readonly Fate[]): Answer {
  const known = spaceOf(space, table);
  const built = known.built.find(one => one.hook === chain);
  if (built === undefined || known.compiled.cyclic) return { kind: 'undecided' };
  // What a table does not tell apart it cannot see to be impossible.
  if (isNothing(known.compiled.dimensions.family, packets)) return { kind: 'no', by: [] };
  const asked = packetsOf(known.compiled.dimensions, packets);
  const regions = asked.regions(built.region);
  const goals = fates.reduce((mask, fate) => mask | known.compiled.fates.maskOf(fate), 0);
  const query = makeQuery(known.compiled, built.chain, { goals });
  const outcome = searchFates(known, built.chain, query, regions);
  switch (outcome.kind) {
    case 'undecided': case 'no': return outcome;
    case 'found': return yes(known, built.chain, query, outcome, regions, asked.soft, packets);
  }
}

/** Searches regions for a packet that the query holds of; where there is none, `by` are those who decided about the others. */
export function searchFates(space: TableSpace, base: CompiledChain, query: Query, regions: readonly Region[]): Found | Extract<Answer, { kind: 'no' | 'undecided' }> {
  const deciders = new Set<number>();
  const outcome = searchAll(space, regions, freshBudget(), (point, region) => {
    const examined = follow(query, point, region);
    for (const decider of examined.run.deciders) deciders.add(decider);
    return examined;
  });
  return outcome.kind === 'none' ? { kind: 'no', by: decidersOf(space, base, deciders) } : outcome;
}

function decidersOf(space: TableSpace, base: CompiledChain, deciders: ReadonlySet<number>): Decider[] {
  return [...inOrder(space, [...deciders].filter(rule => rule >= 0)), ...deciders.has(-1) ? [policyOf(space.compiled, base)] : []];
}

function yes(space: TableSpace, base: CompiledChain, query: Query, found: Found, regions: readonly Region[], soft: boolean, packets: Constraint): Answer {
  const strict = { ...query, strict: true };
  const certain = certainly(space, strict, found, regions);
  const best = certain ?? found;
  const used = certain === undefined ? query : strict;
  const { goal } = new Traversal(used, best.point);
  const rule = goal?.kind === 'rule' ? ruleAt(space.compiled, goal.rule) : undefined;
  return {
    kind: 'yes', certain: certain !== undefined && !soft, by: rule ?? policyOf(space.compiled, base),
    get witness() {
      return sampleOf(space.compiled, best, point => sameGoal(new Traversal(used, point), goal), packets);
    },
  };
}

/** The sample shows what `by` says, by the same rule. */
function sameGoal(run: Traversal, goal: Traversal['goal']): boolean {
  return run.goal?.kind === goal?.kind && (run.goal?.kind !== 'rule' || (goal?.kind === 'rule' && goal.rule === run.goal.rule));
}

/** A packet that has such a fate whatever the unknown does. */
function certainly(space: TableSpace, strict: Query, found: Found, regions: readonly Region[]): Found | undefined {
  if (new Traversal(strict, found.point).goal !== undefined) return found;
  const outcome = searchAll(space, regions, { ...certainBudget }, (point, region) => follow(strict, point, region));
  return outcome.kind === 'found' ? outcome : undefined;
}
