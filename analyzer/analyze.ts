/** From a source text to findings: load, run the checks, replay every witness in the engine, collect. */
import type { SourceText } from '../grammar/source-text.js';
import { examine, setApart, type Analysis, type AnalyzeOptions, type Examination, type Found, type InternalError } from './examine.js';
import type { Finding } from './finding.js';
import { replayAll, type Replay } from './witness/replay.js';

export type { Analysis, AnalyzeOptions, InternalError } from './examine.js';

/** The engine's answers, asked once for each rule set. */
function replays(found: readonly Found[]): ReadonlyMap<Found, Replay> {
  const answers = new Map<Found, Replay>();
  for (const ruleset of new Set(found.map(one => one.ruleset))) {
    if (ruleset === undefined) continue;
    const asked = found.flatMap(one => one.ruleset === ruleset && one.proposal !== undefined ? [{ one, proposal: one.proposal }] : []);
    const replayed = replayAll(ruleset, asked.map(({ proposal }) => proposal));
    for (const [index, { one }] of asked.entries()) {
      const answer = replayed[index];
      if (answer !== undefined) answers.set(one, answer);
    }
  }
  return answers;
}

function internalError({ finding: { check, rule }, proposal }: Found, { why, refutes }: Extract<Replay, { kind: 'disagrees' }>): InternalError {
  const packets = JSON.stringify(proposal?.steps.map(({ in: from, packet }) => ({ in: from, packet })));
  return { check, rule, detail: `${why}; ${packets}`, isWithdrawn: refutes };
}

/**
 * Asks the engine about every witness. One that it cannot play is left out, and the finding stays, for a proof bears it.
 * Where the engine contradicts what the finding says, the finding goes as well; both are counted as mistakes of ours.
 */
export function confirm({ found, failures, ...examination }: Examination): Analysis {
  const answers = replays(found);
  const findings: Finding[] = [];
  const internalErrors = [...failures];
  for (const one of found) {
    const answer = answers.get(one);
    if (answer?.kind === 'disagrees') internalErrors.push(internalError(one, answer));
    if (answer?.kind === 'agrees') findings.push({ ...one.finding, witness: answer.steps, ...answer.host === undefined ? {} : { host: answer.host } });
    else if (answer?.kind !== 'disagrees' || !answer.refutes) findings.push(one.finding);
  }
  return { ...examination, ...setApart(findings), internalErrors };
}

/** Lints one source. Never throws on bad input. */
export function analyze(source: SourceText, options: AnalyzeOptions = {}): Analysis {
  return confirm(examine(source, options));
}
