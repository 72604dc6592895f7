/** A rule set, made ready for questions about packets on their whole way. */
import type { Ruleset } from '../../model/ruleset.js';
import type { Constraint } from '../../packet/constraint.js';
import { compileChains } from './compile-chains.js';
import { makePipeline, waysOf, type Pipeline } from './passes.js';
import { dimensionsFor } from './pipeline-dimensions.js';
import { readRuleset } from './read-ruleset.js';
import { extraChains, type Routing } from './stages.js';

export interface PipelineOptions {
  /** What questions will say of packets: their bounds are then told apart. Without, a question that cuts through what the rules tell apart takes it whole. */
  readonly asked?: readonly Constraint[];
  /** Which addresses are local, and where others are sent. Without it a packet may go any way. */
  readonly routing?: Routing;
}

/** Makes a rule set ready for questions. Undefined where jumps go in circles, which no kernel loads. */
export function pipeline(ruleset: Ruleset, { asked = [], routing }: PipelineOptions = {}): Pipeline | undefined {
  const read = readRuleset(ruleset);
  if (read.cyclic) return undefined;
  const extra = extraChains(routing);
  const chains = compileChains(read, dimensionsFor([read], asked, extra), extra);
  return makePipeline(chains, waysOf(chains, routing), true);
}
