/** Whether what the engine saw of all packets of a witness is what it shows. */
import type { DetailedStep } from '../netfilter/engine.js';
import { compare, isLoss, type Comparison } from './compare.js';
import type { ProposedStep, Shown } from './proposal.js';

/** What is said of the first step that is not as shown. `repliesTo`: the number of the step that each one replies to; undefined: none. */
export function compareSteps(steps: readonly ProposedStep[], shows: readonly Shown[], answers: readonly DetailedStep[], repliesTo: readonly (number | undefined)[]): Comparison {
  for (const [index, step] of steps.entries()) {
    const [shown, answer, first] = [shows[index], answers[index], answers[repliesTo[index] ?? -1]];
    if (first !== undefined && isLoss(first.verdict)) return { kind: 'elsewhere', why: `step ${String(index + 1)}: what it replies to does not arrive: ${first.by ?? first.verdict}` };
    const compared = answer === undefined ? undefined : compare(step, shown ?? {}, answer, first !== undefined);
    if (compared !== undefined && compared.kind !== 'agrees') return { ...compared, ...shown?.isPremise === true ? { kind: 'elsewhere' } : {}, why: `step ${String(index + 1)}: ${compared.why}` };
  }
  return { kind: 'agrees' };
}
