/** Findings that are possible made certain, where a conversation is found that shows them. */
import { decide, type DecideOptions } from './fuzz/decide.js';
import { seedOf } from './fuzz/seed.js';
import type { Examination, Found } from './examine.js';
import type { Fc } from './values/value.js';

/** For each finding. */
const usualRuns = 200;

function decided(fc: Fc, one: Found, options: DecideOptions): Found {
  const { finding, ruleset, proposal } = one;
  // Where counters say otherwise, the finding is doubtful, and no packet settles that.
  if (finding.certainty !== 'possible' || ruleset === undefined || proposal?.certainty !== 'possible') return one;
  const found = decide(fc, ruleset, proposal, options);
  if (found === undefined) return one;
  return { ...one, proposal: undefined, finding: { ...finding, certainty: 'certain', witness: found.steps, ...found.host === undefined ? {} : { host: found.host } } };
}

/**
 * Searches a conversation for each finding that hangs on what rules remember, as limits and lists do, or on what cannot be known; one that is found is
 * its witness. What is not found stays possible. `fc` is fast-check; the seed hangs on the source unless it is given.
 */
export function decidePossible(fc: Fc, examination: Examination, options: Partial<DecideOptions> = {}): Examination {
  const { runs = usualRuns, seed = seedOf([examination.source.text]) } = options;
  return { ...examination, found: examination.found.map(one => decided(fc, one, { runs, seed })) };
}
