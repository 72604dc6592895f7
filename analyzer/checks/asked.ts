/** What checks ask of packets on their whole way: the pipeline must tell its bounds apart. */
import type { Ruleset } from '../model/ruleset.js';
import type { Constraint } from '../packet/constraint.js';
import { servicePackets } from './output-drop-breakage.js';
import { everydayClient, exchanges } from './replies.js';

export function askedOfPipeline(ruleset: Ruleset): readonly Constraint[] {
  return [...exchanges(ruleset).flatMap(({ first, reply, unless }) => [first, reply, ...unless === undefined ? [] : [unless]]), everydayClient.first, ...servicePackets(ruleset)];
}
