/** A packet for a rule that no packet comes to: one that it asks for, and what other tables do with it. */
import type { Hook } from '../extensions/define.js';
import { isTableName, ruleReference, type Ruleset } from '../model/ruleset.js';
import type { RuleAt } from '../packet-space/answers.js';
import { deciderOf, firstPacket, question, type Path, type Pipeline } from '../packet-space/pipeline/index.js';
import type { Trip } from '../packet-space/pipeline/passes.js';
import { solveBudget } from '../packet-space/pipeline/solve.js';
import { layout, paths } from '../packet-space/pipeline/stages.js';
import { constraintsOf } from '../packet-space/rule-constraint.js';
import { all, ctstates } from '../packet/constraint.js';
import { plausible } from './plausible.js';
import type { Illustration, Shown } from './proposal.js';
import { stepOf } from './step.js';

const budget = { packets: 200, work: 50_000 };

/** A packet, as it comes, that the rule at `at` asks for: one of `by` drops it, or it comes to the rule's table as another. Undefined where no everyday packet is found. */
export function takenElsewhere(pipeline: Pipeline, at: RuleAt, by: readonly RuleAt[]): Illustration | undefined {
  const { ruleset } = pipeline.chains;
  const asked = constraintsOf(ruleset, at.table).of(at.rule);
  for (const { path, hook } of placesOf(ruleset, at)) for (const everyday of plausible(ruleset.family, hook)) for (const fate of ['drop', 'accept'] as const) {
    const packets = all([asked, everyday]);
    const answer = question(pipeline, path, packets, fate, solveBudget(budget.packets, budget.work));
    if (answer.kind !== 'yes' || !answer.certain) continue;
    const { sample, trip } = firstPacket(pipeline, answer.found, packets);
    const shown = fate === 'drop' ? lostBy(pipeline, trip, by) : { at: `${at.table}:${hook}`, misses: [referenceOf(at)] };
    if (shown === undefined) continue;
    const step = stepOf(sample, path === 'out' ? 'local' : sample.in ?? 'eth0');
    // What the packet is when it comes to the rule's table is what it is not when it sets out.
    const { ctstate, mark: _, ...kept } = sample;
    const isTracked = ctstate !== undefined && (ctstates as Readonly<Record<string, number>>)[ctstate] === trip.state;
    return { steps: [{ ...step, sample: isTracked ? { ...kept, ctstate } : kept }], shows: [shown] };
  }
  return undefined;
}

/** Where one of the rules drops the packet; undefined where another does, first. */
function lostBy(pipeline: Pipeline, { run }: Trip, by: readonly RuleAt[]): Shown | undefined {
  const stage = run.stages[run.drops[0] ?? -1];
  const decider = stage === undefined ? undefined : deciderOf(pipeline, stage);
  if (stage === undefined || decider === undefined || 'policy' in decider || !by.some(one => one.rule === decider.rule)) return undefined;
  return { at: `${stage.stage.table}:${stage.stage.hook}`, fate: 'lost', by: [referenceOf(decider)] };
}

function referenceOf({ table, chain, position }: RuleAt): string {
  return ruleReference(table, chain, position);
}

/** The paths that come by a rule's chain, or by any of its table's, and where. */
function placesOf(ruleset: Ruleset, { table, chain }: RuleAt): readonly { readonly path: Path; readonly hook: Hook }[] {
  const own = isTableName(table) ? ruleset.tables.get(table)?.chains.get(chain)?.hook : undefined;
  return paths.flatMap(path => path === 'loop' ? [] : layout(path, ruleset.backend).flatMap(([hook, name]) => name === table && (own ?? hook) === hook ? [{ path, hook }] : []));
}
