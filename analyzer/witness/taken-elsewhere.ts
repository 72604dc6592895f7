/** A packet for a rule that no packet comes to: one that it asks for, and what other tables do with it. */
import { isTableName, ruleReference, type Ruleset } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { firstPacket, question, type Path, type Pipeline } from '../packet-space/pipeline/index.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { layout, paths } from '../packet-space/pipeline/stages.js';
import { RuleConstraints } from '../packet-space/rule-constraint.js';
import { all } from '../packet/constraint.js';
import { plausible } from './plausible.js';
import type { Illustration } from './proposal.js';
import { stepOf } from './step.js';

const budget = { packets: 200, work: 50_000 };

/** A packet, as it comes, that the rule at `at` asks for: one of `by` drops it, or it comes to the rule's table as another. Undefined where no everyday packet is found. */
export function takenElsewhere(pipeline: Pipeline, at: RuleAt, by: readonly RuleAt[]): Illustration | undefined {
  const { ruleset } = pipeline.chains;
  const asked = new RuleConstraints(ruleset, at.table).of(at.rule);
  const own = ruleReference(at.table, at.chain, at.position);
  const takers = new Set(by.map(one => ruleReference(one.table, one.chain, one.position)));
  for (const path of pathsTo(ruleset, at)) for (const everyday of plausible(ruleset.family, path === 'through' ? 'FORWARD' : 'INPUT')) for (const fate of ['drop', 'accept'] as const) {
    const packets = all([asked, everyday]);
    const answer = question(pipeline, path, packets, fate, solveBudget(budget.packets, budget.work));
    if (answer.kind !== 'yes' || !answer.certain) continue;
    const decider = answer.by === undefined || 'policy' in answer.by ? undefined : ruleReference(answer.by.table, answer.by.chain, answer.by.position);
    if (fate === 'drop' && (decider === undefined || !takers.has(decider))) continue;
    const { sample } = firstPacket(pipeline, answer.found, packets);
    const isSent = path === 'out' || path === 'loop';
    return {
      steps: [stepOf(sample, isSent ? 'local' : sample.in ?? 'eth0')],
      shows: [{ misses: [own], ...fate === 'drop' && decider !== undefined ? { fate: 'lost', by: [decider] } : {} }],
    };
  }
  return undefined;
}

/** The paths that come by a rule's chain, or by any of its table's. */
function pathsTo(ruleset: Ruleset, { table, chain }: RuleAt): readonly Path[] {
  const chains = isTableName(table) ? ruleset.tables.get(table)?.chains : undefined;
  const own = chains?.get(chain)?.hook;
  return paths.filter(path => path !== 'loop' && layout(path, ruleset.backend).some(([hook, name]) => name === table && (own === undefined || own === hook)));
}
