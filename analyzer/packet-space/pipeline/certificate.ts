/** Which rules keep all packets from another, on all paths: few enough that none of them could be missing. */
import type { Rule } from '../../model/ruleset.js';
import type { RuleAt } from '../answers.js';
import type { Pipeline } from './passes.js';
import { proveDead } from './reach.js';
import { solveBudget } from './solve.js';

/** What one step of making it smaller may cost; a step that takes longer leaves its rule in. */
const stepBudget = { packets: 400, work: 100_000 };
/** A proof with more rules than this is given as it is. */
const limit = 60;

/**
 * The rules because of which a dead rule is dead, in the order of the tables: without any one of them it could be reached. Given `used`,
 * the rules of a proof; empty where the kernel itself lets no such packet come, whatever the rules say.
 */
export function certificate(pipeline: Pipeline, rule: Rule, used: readonly RuleAt[]): readonly RuleAt[] {
  const { numbers, rules } = pipeline.chains;
  const prove = (only: ReadonlySet<number>): ReadonlySet<number> | undefined => proveDead(pipeline, rule, only, solveBudget(stepBudget.packets, stepBudget.work));
  if (prove(new Set()) !== undefined) return [];
  let now = new Set(used.flatMap(at => numbers.get(at.rule) ?? []));
  now = new Set(prove(now) ?? now);
  if (now.size > limit) return inTables(rules, now);
  for (const one of [...now].sort((a, b) => b - a)) {
    if (!now.has(one)) continue;
    const smaller = prove(new Set([...now].filter(other => other !== one)));
    if (smaller !== undefined) now = new Set(smaller);
  }
  return inTables(rules, now);
}

const tableOrder = ['raw', 'mangle', 'nat', 'filter', 'security'];

function inTables(rules: readonly RuleAt[], some: ReadonlySet<number>): RuleAt[] {
  return [...some].flatMap(one => rules[one] ?? []).sort((a, b) => tableOrder.indexOf(a.table) - tableOrder.indexOf(b.table) || a.rule.start - b.rule.start);
}
