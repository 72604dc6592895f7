/** Which rules keep all packets from another, on all paths: few enough that none of them could be missing. */
import type { Rule } from '../../model/ruleset.js';
import type { RuleAt } from '../answers.js';
import type { Pipeline } from './passes.js';
import { proveDead } from './reach.js';
import { solveBudget, type SolveBudget } from './solve.js';
import { paths } from './stages.js';

/** What one step of making it smaller may cost; a step that takes longer leaves its rules in. */
const stepBudget = { packets: 400, work: 100_000 };
/** The same where it is asked whether one rule alone is enough, and of how many that is asked: the proof is longer with fewer rules, that there is none is mostly found at once. */
const aloneBudget = { packets: 6000, work: 300_000 };
const aloneLimit = 32;

/**
 * The rules because of which a dead rule is dead, in the order of the tables: without any one of them it could be reached. Given `used`,
 * the rules of a proof; empty where no rule is needed: the kernel itself, or the policies, let no such packet come.
 */
export function certificate(pipeline: Pipeline, rule: Rule, used: readonly RuleAt[], budget: SolveBudget = solveBudget()): readonly RuleAt[] {
  const { numbers, rules } = pipeline.chains;
  const prove = (only: ReadonlySet<number>, limit = stepBudget): ReadonlySet<number> | undefined => {
    const own = solveBudget(Math.min(limit.packets, budget.packets), Math.min(limit.work, budget.work));
    const [packets, work] = [own.packets, own.work];
    const proof = proveDead(pipeline, rule, only, own);
    budget.packets -= packets - own.packets;
    budget.work -= work - own.work;
    return proof;
  };
  if (prove(new Set()) !== undefined) return [];
  const all = new Set(used.flatMap(at => numbers.get(at.rule) ?? []));
  const proof = prove(all) ?? all;
  const near = besides(pipeline, rule, proof);
  const sorted = inOrder(rules, (near.size < proof.size ? prove(near, aloneBudget) : undefined) ?? proof);
  const alone = sorted.length > 2 && sorted.length <= aloneLimit ? sorted.find(one => prove(new Set([one]), aloneBudget) !== undefined) : undefined;
  return (alone === undefined ? smallest(sorted, only => prove(only)) : [alone]).flatMap(one => rules[one] ?? []);
}

/** Of some rules those of its own table that packets meet at the same hook: where these are enough, nothing else need be gone into. */
function besides({ forth, chains }: Pipeline, rule: Rule, some: ReadonlySet<number>): ReadonlySet<number> {
  const own = chains.chainOf[chains.numbers.get(rule) ?? -1] ?? -1;
  const bases = new Set(paths.flatMap(path => forth[path].map(stage => stage.chain)).filter(base => chains.below(base).has(own)));
  return new Set([...some].filter(one => [...bases].some(base => chains.below(base).has(chains.chainOf[one] ?? -1))));
}

/** Leaves out halves, then quarters, … then single rules, the last first, as long as what is left proves it. */
export function smallest(sorted: readonly number[], prove: (only: ReadonlySet<number>) => ReadonlySet<number> | undefined): readonly number[] {
  let now: ReadonlySet<number> = new Set(sorted);
  for (let size = Math.ceil(sorted.length / 2); size > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    const members = sorted.filter(one => now.has(one));
    for (let end = members.length; end > 0; end -= size) {
      const without = new Set(members.slice(Math.max(0, end - size), end));
      const kept = [...now].filter(one => !without.has(one));
      if (kept.length < now.size) now = prove(new Set(kept)) ?? now;
    }
  }
  return sorted.filter(one => now.has(one));
}

const tableOrder = ['raw', 'mangle', 'nat', 'filter', 'security'];

export function inOrder(rules: readonly RuleAt[], some: Iterable<number>): number[] {
  const rank = (one: number): number => tableOrder.indexOf(rules[one]?.table ?? '');
  return [...some].sort((a, b) => rank(a) - rank(b) || (rules[a]?.rule.start ?? 0) - (rules[b]?.rule.start ?? 0));
}
