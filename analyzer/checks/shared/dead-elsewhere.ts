/**
 * Rules to which no packet comes though nothing that their own table says of packets as they come keeps them away: another table takes, rewrites, marks or
 * exempts from tracking all that they are for, or their own marks them.
 */
import type { Rule, Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';
import { hangingOnChanges } from '../../packet-space/changes.js';
import { certificate, reachThrough, type Pipeline } from '../../packet-space/pipeline/index.js';
import { comesAsInTable } from '../../packet-space/pipeline/as-in-table.js';
import { proveDead, type ReachOptions } from '../../packet-space/pipeline/reach.js';
import { solveBudget, type SolveBudget } from '../../packet-space/pipeline/solve.js';
import type { CheckContext } from '../define-check.js';
import { interferedHooks } from './interference.js';
import { ownerOf } from './owners.js';

/** What one rule may cost, and all of a rule set. */
const ruleBudget = { packets: 3000, work: 300_000 };
/** Rules of a table that are hard are hard for the same reason: after each that is left open, the next may cost half as much, but no less than this part. */
const leastShare = 1 / 16;
const certificateBudget = { packets: 12_000, work: 1_000_000 };
const totalBudget = { packets: 200_000, work: 20_000_000 };

const answers = new WeakMap<CheckContext, ReadonlyMap<Rule, readonly RuleAt[]>>();

/**
 * By rule: the rules because of which no packet comes to it, in the order of the tables: at least one of another table than its own, or one that changes
 * packets for the rules behind it. Only rules that packets could come to if their table were alone, and changed nothing. Where the kernel or policies alone
 * keep packets away nothing is said.
 */
export function deadElsewhere(cx: CheckContext): ReadonlyMap<Rule, readonly RuleAt[]> {
  let known = answers.get(cx);
  if (known === undefined) answers.set(cx, known = findDead(cx));
  return known;
}

/** Whether of other tables nobody but nat has a part in it: what the rule asks for is what nat rewrites. */
export function isByTranslation(at: RuleAt, by: readonly RuleAt[]): boolean {
  const others = by.filter(one => one.table !== at.table);
  return others.length > 0 && others.every(one => one.table === 'nat');
}

function findDead(cx: CheckContext): ReadonlyMap<Rule, readonly RuleAt[]> {
  const found = new Map<Rule, readonly RuleAt[]>();
  const budget = solveBudget(totalBudget.packets, totalBudget.work);
  for (const table of cx.ruleset.tables.values()) {
    let share = 1;
    for (const [at, hint] of suspects(cx, table)) {
      const pipeline = cx.pipeline();
      if (pipeline === undefined) return found;
      if (comesAsInTable(pipeline, cx.space(), table, at, budget)) continue;
      const by = causes(cx, pipeline, at, { ...hint, share }, budget);
      if (by === 'undecided') {
        cx.undecided();
        share = Math.max(leastShare, share / 2);
      } else if (by.length > 0) found.set(at.rule, by);
    }
  }
  return found;
}

/** `hangs`: on what its own table changes, so that of such packets its table by itself says nothing. */
interface Hint extends Pick<ReachOptions, 'hint'> {
  readonly hangs: boolean;
}

/** Rules that are live in their table, at a hook to which packets come through tables that may do something to them, or that hang on what their own does. */
function* suspects(cx: CheckContext, table: Table): Generator<readonly [RuleAt, Hint], void> {
  const hooks = interferedHooks(cx.ruleset, table);
  const hanging = hangingOnChanges(cx.ruleset, table);
  if (hooks.size === 0 && hanging.size === 0) return;
  const reached = cx.reach(table);
  for (const at of cx.rules(table)) {
    const own = reached.get(at.rule);
    if (own?.kind === 'live' && (hanging.has(at.rule) || hooks.has(own.hook))) yield [at, { hint: () => own.witness, hangs: hanging.has(at.rule) }];
  }
}

/** Whether a rule makes something else of packets that go on to the next. */
export function isChanger({ rule: { target } }: RuleAt): boolean {
  return target.kind === 'extension' && target.use.definition.changes !== undefined;
}

/** Empty where packets come, or where no other table keeps them away, and their own does not by what it changes. */
function causes({ ruleset }: CheckContext, pipeline: Pipeline, at: RuleAt, { hint, hangs, share }: Hint & { readonly share: number }, total: SolveBudget): readonly RuleAt[] | 'undecided' {
  if (total.packets <= 0 || total.work <= 0) return 'undecided';
  const spend = <T>(ask: (budget: SolveBudget) => T, limit: SolveBudget = ruleBudget): T => {
    const own = solveBudget(Math.min(limit.packets, total.packets), Math.min(limit.work, total.work));
    const { packets, work } = own;
    const answer = ask(own);
    total.packets -= packets - own.packets;
    total.work -= work - own.work;
    return answer;
  };
  const answer = spend(budget => reachThrough(pipeline, at.rule, { ...hint === undefined ? {} : { hint }, budget }), { packets: ruleBudget.packets * share, work: ruleBudget.work * share });
  if (answer.kind !== 'dead') return answer.kind === 'live' ? [] : 'undecided';
  const { numbers } = pipeline.chains;
  const isEnough = (some: readonly RuleAt[]): boolean => spend(budget => proveDead(pipeline, at.rule, new Set(some.flatMap(one => numbers.get(one.rule) ?? [])), budget)) !== undefined;
  // What programs do to each other's rules is nobody else's fault, who has a rule of his own on the way.
  const made = ownerOf(ruleset, at) === undefined ? [] : answer.by.filter(one => ownerOf(ruleset, one) !== undefined);
  const all = made.length > 0 && made.length < answer.by.length && isEnough(made) ? made : answer.by;
  const own = all.filter(one => one.table === at.table);
  const isByOwn = isEnough(own);
  const isToldElsewhere = (some: readonly RuleAt[]): boolean => isByOwn && !hangs && !some.some(isChanger);
  if (isToldElsewhere(own)) return [];
  const by = spend(budget => certificate(pipeline, at.rule, isByOwn ? own : all, budget), certificateBudget);
  return isToldElsewhere(by) ? [] : by;
}
