/** Which rules keep all packets from another: few enough that none of them could be missing. */
import type { RuleAt } from './answers.js';
import { ruleAt } from './compile.js';
import { arrival, follow, searchAll, type HookRegions, type RulePlace } from './question.js';
import type { Budget } from './search.js';
import type { TableSpace } from './space.js';

/** The rules of a proof that no packet arrives, if `only` these are certain to be there; undefined where it does not hold. */
export function provesDead(space: TableSpace, place: RulePlace, hooks: readonly HookRegions[], only: ReadonlySet<number>, budget: Budget): Set<number> | undefined {
  const used = new Set<number>();
  for (const { base, regions } of hooks) {
    const query = arrival(space, place, base, only);
    const outcome = searchAll(space, regions, budget, (point, region) => follow(query, point, region, used));
    if (outcome.kind !== 'none') return undefined;
  }
  return used;
}

/**
 * Of the rules of a proof, some that do: wherever those so far let a packet pass, the rules that stop it are added.
 * All of them where the budget ends before that.
 */
function growProof(space: TableSpace, place: RulePlace, hooks: readonly HookRegions[], used: ReadonlySet<number>, budget: Budget): ReadonlySet<number> {
  const some = new Set<number>();
  for (const { base, regions } of hooks) {
    const all = arrival(space, place, base, used);
    const outcome = searchAll(space, regions, budget, (point, region) => {
      // What is visible changes as rules are added.
      const examined = follow(arrival(space, place, base, some), point, region);
      return examined.found ? follow(all, point, region, some) : examined;
    });
    if (outcome.kind !== 'none') return used;
  }
  return some;
}

const ranks = new WeakMap<TableSpace, Int32Array>();

/** The order in which a packet meets the rules: hook after hook, each chain where it is called first. */
function meetingOrder(space: TableSpace): Int32Array {
  const known = ranks.get(space);
  if (known !== undefined) return known;
  const { chains, boxes, ruleCount } = space.compiled;
  const order = new Int32Array(ruleCount).fill(ruleCount);
  const seen = new Set<number>();
  let next = 0;
  for (const { chain: base } of space.built) {
    const stack = [{ chain: base, box: base.from }];
    seen.add(base.id);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const box = top.box++;
      if (box >= top.chain.to) {
        stack.pop();
        continue;
      }
      const rule = boxes.rule[box] ?? 0;
      if (order[rule] === ruleCount) order[rule] = next++;
      const callee = chains[boxes.callee[box] ?? -1];
      if (callee === undefined || seen.has(callee.id)) continue;
      seen.add(callee.id);
      stack.push({ chain: callee, box: callee.from });
    }
  }
  ranks.set(space, order);
  return order;
}

/** The rules in the order in which a packet meets them. */
export function inOrder(space: TableSpace, rules: Iterable<number>): RuleAt[] {
  const rank = meetingOrder(space);
  return [...new Set(rules)].sort((a, b) => (rank[a] ?? 0) - (rank[b] ?? 0) || a - b).map(rule => ruleAt(space.compiled, rule));
}

/**
 * Who takes a dead rule's packets, given the rules of a proof, of which at least one is needed: leaves out one after the
 * other, the last first, as long as the proof holds. Where the budget ends before that, a few may be more than needed.
 */
export function explain(space: TableSpace, place: RulePlace, hooks: readonly HookRegions[], used: ReadonlySet<number>, budget: Budget): RuleAt[] {
  const rank = meetingOrder(space);
  if (used.size === 1) return inOrder(space, used);
  const grown = growProof(space, place, hooks, used, budget);
  let now = provesDead(space, place, hooks, grown, budget) ?? provesDead(space, place, hooks, used, budget) ?? used;
  if (now.size === 1) return inOrder(space, now);
  const needed = new Set<number>();
  while (budget.cells > 0 && budget.work > 0) {
    const next = [...now].filter(rule => !needed.has(rule)).sort((a, b) => (rank[b] ?? 0) - (rank[a] ?? 0))[0];
    if (next === undefined) break;
    const smaller = provesDead(space, place, hooks, new Set([...now].filter(rule => rule !== next)), budget);
    if (smaller === undefined) needed.add(next);
    else now = smaller;
  }
  return inOrder(space, now);
}
