/** Exact questions about packets on their whole way through a host: table after table, translated and marked, and back. */
import type { Ruleset } from '../../model/ruleset.js';
import type { Constraint } from '../../packet/constraint.js';
import { compileChains } from './compile-chains.js';
import { readRuleset } from './read-ruleset.js';
import { makePipeline, type Pipeline } from './passes.js';
import { dimensionsFor } from './pipeline-dimensions.js';
import { extraChains, type Routing } from './stages.js';

export { paths, type Path, type Routing } from './stages.js';
export type { Pipeline } from './passes.js';
export { reachThrough, type Passage } from './reach.js';
export { fate, isCertain, question, type PathAnswer } from './fate.js';
export { certificate } from './certificate.js';
export { deciderOf } from './deciders.js';
export { neverReplied, replies, type ConversationCase, type ConversationQuestion, type Replies } from './conversations.js';
export { firstPacket, nextPacket, type Sighting } from './samples.js';
export { difference, type Difference, type DifferenceCase, type DifferenceOptions } from './difference/difference.js';
export { fates, type FateClaim, type Fates, type FatesOptions } from './fates/fates.js';
export { stateReach, type StateReach } from './states.js';

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
  return makePipeline(compileChains(read, dimensionsFor([read], asked, extra), extra), routing);
}
