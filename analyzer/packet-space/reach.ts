/** Which rules packets can match at all. */
import type { Hook } from '../extensions/define.js';
import type { Rule, Table } from '../model/ruleset.js';
import type { Constraint } from '../packet/constraint.js';
import type { PacketSample, Reach, RuleAt } from './answers.js';
import { contains, partIn } from './boxes.js';
import type { CompiledChain } from './compile.js';
import { explain, inOrder, provesDead } from './explain.js';
import { packetsOf } from './packets.js';
import { arrival, follow, placeOf, regionsOf, searchAll, type Found, type HookRegions, type RulePlace } from './question.js';
import { sampleOf } from './sample.js';
import { freshBudget, type Budget } from './search.js';
import { callingRules, spaceOf, type PacketSpace, type TableSpace } from './space.js';
import { Traversal } from './traverse.js';

/** Look-ups for all rules of a table together: what is left then is undecided. */
const tableBudget = 10_000_000;

const undecided: Reach = { kind: 'undecided' };

/** For every rule of a table, whether some packet matches it. */
export function reach(space: PacketSpace, table: Table): ReadonlyMap<Rule, Reach> {
  const known = spaceOf(space, table);
  const { compiled } = known;
  const answers = new Map<number, Reach>();
  let left = tableBudget;
  for (const id of compiled.cyclic ? [] : compiled.order) {
    const chain = compiled.chains[id];
    // From the end: the way to the last rule tells of many before it.
    for (let index = (chain?.chain.rules.length ?? 0) - 1; chain !== undefined && index >= 0; index--) {
      const number = chain.firstRule + index;
      if (answers.has(number)) continue;
      if (left <= 0) {
        answers.set(number, undecided);
        continue;
      }
      const budget = freshBudget();
      const before = budget.work;
      answers.set(number, reachOne(known, { number, chain, index }, budget, answers));
      left -= before - budget.work;
    }
  }
  return new Map(compiled.rules.map(({ rule }, number) => [rule, answers.get(number) ?? undecided]));
}

/** Whether some packet of `packets` matches a rule, in one hook or in any. */
export function reachWith(space: PacketSpace, table: Table, at: RuleAt, packets: Constraint, hook?: Hook): Reach {
  const known = spaceOf(space, table);
  const number = known.numbers.get(at.rule);
  if (known.compiled.cyclic || number === undefined) return undecided;
  const place = placeOf(known, number);
  const asked = packetsOf(known.compiled.dimensions, packets);
  const hooks = regionsOf(known, place, hook, asked.regions);
  return decide(known, place, hooks, freshBudget(), undefined, asked.constraint);
}

function reachOne(space: TableSpace, place: RulePlace, budget: Budget, answers: Map<number, Reach>): Reach {
  const hooks = regionsOf(space, place);
  if (place.chain.start[place.index] === place.chain.start[place.index + 1]) return { kind: 'contradiction' };
  if (hooks.length === 0) return { kind: 'unreachable-chain', by: [] };
  if (place.chain.chain.hook === undefined) {
    const callers = callingRules(space, place.chain.id);
    const isDead = (caller: number): boolean => {
      const kind = answers.get(caller)?.kind;
      return kind !== undefined && kind !== 'live' && kind !== 'undecided';
    };
    if (callers.every(isDead)) return { kind: 'unreachable-chain', by: inOrder(space, callers.filter(caller => hasHook(space, caller))) };
  }
  return decide(space, place, hooks, budget, answers);
}

function hasHook(space: TableSpace, rule: number): boolean {
  return regionsOf(space, placeOf(space, rule)).length > 0;
}

function decide(space: TableSpace, place: RulePlace, hooks: readonly HookRegions[], budget: Budget, answers: Map<number, Reach> | undefined, asked?: Constraint): Reach {
  const used = new Set<number>();
  let open = false;
  let last: Traversal | undefined;
  if (hooks.every(({ regions }) => regions.length === 0)) return { kind: 'contradiction' };
  for (const hook of hooks) {
    const query = arrival(space, place, hook.base);
    const outcome = searchAll(hook.regions, budget, (point, region) => {
      const examined = follow(query, point, region, used);
      last = examined.run;
      return examined;
    });
    if (outcome.kind === 'found') {
      if (answers !== undefined && last !== undefined) noteWay(last, hook, space, outcome, answers);
      return live(space, place, hook, outcome, asked);
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

/** An answer whose sample is made when it is looked at: most never are, so little is kept of the packet that was found. */
function live(space: TableSpace, place: RulePlace, { hook, base }: Pick<HookRegions, 'hook' | 'base'>, { point, region }: Pick<Found, 'point' | 'region'>, asked?: Constraint): Reach {
  let sample: PacketSample | undefined;
  const size = point.length;
  const parts = [...point].flatMap((value, d) => value === 0 ? [] : [[d, value] as const]);
  // A question's own region; without one it is that of the rule.
  const kept = asked === undefined ? undefined : region;
  const makeSample = (): PacketSample => {
    const found = new Int32Array(size);
    for (const [d, value] of parts) found[d] = value;
    const own = kept ?? regionsOf(space, place, hook).flatMap(one => one.regions).find(one => contains(one, { lo: found, hi: found }));
    const query = arrival(space, place, base);
    return sampleOf(space.compiled, { point: found, region: own ?? { lo: found, hi: found } }, one => new Traversal(query, one).goal !== undefined, asked);
  };
  return { kind: 'live', hook, get witness() { return sample ??= makeSample(); } };
}

/** What a packet matched on its way is live too, and by the same packet: jumps above all, and what led it on. */
function noteWay(run: Traversal, hook: HookRegions, space: TableSpace, { point, region }: Found, answers: Map<number, Reach>): void {
  const note = (chain: CompiledChain, box: number): void => {
    const rule = chain.rule[box] ?? 0;
    if (box < 0 || answers.get(rule)?.kind === 'live') return;
    const own = partIn(region, chain.own, box);
    if (own !== undefined) answers.set(rule, live(space, placeOf(space, rule), hook, { point, region: own }));
  };
  for (const { chain, steps, waiting, stop } of run.frames()) {
    for (const { box } of steps) note(chain, box);
    note(chain, waiting);
    note(chain, stop);
  }
}
