/** What this host lets through, and by whom. */
import type { Ruleset } from '../../model/ruleset.js';
import type { Decider } from '../../packet-space/answers.js';
import { question, type Pipeline, type Sighting } from '../../packet-space/pipeline/index.js';
import type { Constraint } from '../../packet/constraint.js';
import type { CheckContext } from '../define-check.js';
import { forwarderOf } from './deciders.js';
import { withoutLuck } from './luck.js';

/** A packet that is let through, and the reading of the rules in which it is. */
export interface LetThrough {
  readonly ruleset: Ruleset;
  readonly pipeline: Pipeline;
  readonly found: Sighting;
  /** Who of table filter lets it through. */
  readonly by: Decider;
  readonly certainty: 'certain' | 'possible';
}

/**
 * One of the packets that gets through this host whatever is unknown; else one that does at a pace that no limit minds, and where nobody is on a list
 * (`possible`). `first`: only of packets that nat is asked about, as the first of their connections.
 */
export function letThrough(cx: CheckContext, packets: Constraint, first = false): LetThrough | undefined {
  let seen: Omit<LetThrough, 'by' | 'certainty'> | undefined;
  for (const { ruleset, pipeline: read } of new Set([cx, cx.at('patient')])) {
    const pipeline = read();
    const answer = pipeline === undefined ? undefined : question(pipeline, 'through', packets, 'accept', undefined, first);
    if (answer?.kind === 'undecided') cx.undecided();
    if (pipeline === undefined || answer?.kind !== 'yes') return undefined;
    if (answer.certain) return answer.by === undefined ? undefined : { ruleset, pipeline, found: answer.found, by: answer.by, certainty: 'certain' };
    seen = { ruleset, pipeline, found: answer.found };
  }
  const found = seen === undefined ? undefined : withoutLuck(seen.pipeline, seen.found);
  const by = seen === undefined || found === undefined ? undefined : forwarderOf(seen.pipeline, found);
  return seen === undefined || found === undefined || by === undefined ? undefined : { ...seen, found, by, certainty: 'possible' };
}
