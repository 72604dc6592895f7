/** What every printed witness promises: pasted into `trace`, it shows what the finding says. */
import { confirm } from '../../analyzer/analyze.js';
import type { Examination } from '../../analyzer/examine.js';
import type { WitnessStep } from '../../analyzer/finding.js';
import { compare } from '../../analyzer/witness/compare.js';
import type { ProposedStep } from '../../analyzer/witness/proposal.js';
import { traced } from './as-trace.js';

export interface Outcome {
  /** Witnesses that were printed, and those that were proposed. */
  readonly printed: number;
  readonly proposed: number;
  /** What is wrong, in words; empty where all is well. */
  readonly wrong: readonly string[];
}

/** Without what an error quotes. */
function wordsOf(step: WitnessStep | undefined): ProposedStep['packet'] {
  return Object.fromEntries(Object.entries(step?.packet ?? {}).flatMap(([name, value]) => typeof value === 'object' ? [] : [[name, value]]));
}

/** Confirms an examination and follows each witness once more, as a reader would. */
export function outcomeOf(examination: Examination): Outcome {
  const { findings, internalErrors } = confirm(examination);
  const wrong = internalErrors.map(one => JSON.stringify(one));
  let printed = 0;
  const proposed = examination.found.filter(one => one.proposal !== undefined);
  for (const { finding, proposal, ruleset } of proposed) {
    const confirmed = findings.find(one => one.check === finding.check && one.rule === finding.rule && one.message === finding.message && one.span.start === finding.span.start);
    if (confirmed?.witness == null || proposal === undefined || ruleset === undefined) continue;
    printed++;
    for (const [index, answer] of traced(ruleset, confirmed).entries()) {
      const step = proposal.steps[index];
      const compared = step === undefined ? undefined : compare({ ...step, packet: wordsOf(confirmed.witness[index]) }, proposal.shows[index] ?? {}, answer, answer.ct?.dir === 'REPLY');
      if (compared !== undefined && compared.kind !== 'agrees' && proposal.certainty === 'certain') wrong.push(`${finding.check} ${String(finding.rule)}: ${compared.why}`);
    }
  }
  return { printed, proposed: proposed.length, wrong };
}
