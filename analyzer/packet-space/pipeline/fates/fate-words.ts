/** What becomes of packets, in words. */
import type { Decider } from '../../answers.js';
import { deciderOf } from '../deciders.js';
import type { Pipeline, Trip } from '../passes.js';
import { elsewhere, stoppedAt, type Ends } from './outcome.js';
import { valueWords } from './words.js';

/** What becomes of packets on their whole way. */
export interface Fate {
  /** `elsewhere`: routing sends it on another path. */
  readonly verdict: 'accept' | 'drop' | 'reject' | 'elsewhere';
  /** How it is rejected: `REJECT --reject-with icmp-port-unreachable`. */
  readonly with?: string;
  /** What was written into it: `dst 10.0.0.1`, `src any of 10.0.0.1-10.0.0.9`, `mark connmark`. */
  readonly written: readonly string[];
  /** Who stops one of these packets; of what is accepted, who lets one pass in table filter. Others of them may meet the same fate by another rule or policy. */
  readonly by: Decider | undefined;
}

/** The fate of a packet; `fields` are the dimensions of which it is said what was written. */
export function fateOf(pipeline: Pipeline, ends: Ends, trip: Trip, fields: readonly number[]): Fate {
  const stop = stoppedAt(trip);
  const judged = stop ?? trip.run.stages.findLast(({ stage, frame }) => stage.table === 'filter' && frame !== undefined);
  const by = judged === undefined ? undefined : deciderOf(pipeline, judged);
  if (stop === undefined) return { verdict: 'accept', written: fields.flatMap(d => writtenWords(pipeline, trip, d)), by };
  const end = ends.of(stop);
  if (end === elsewhere) return { verdict: 'elsewhere', written: [], by: undefined };
  return end.startsWith('reject') ? { verdict: 'reject', with: end.slice(7), written: [], by } : { verdict: 'drop', written: [], by };
}

function writtenWords({ chains: { dimensions, fieldCount }, last }: Pipeline, { leaving }: Trip, d: number): string[] {
  const one = dimensions.list[d];
  if (one === undefined || one.kind === 'atom') return [];
  const { input, offset } = leaving.of(d);
  if (input < 0) return [`${one.field} ${valueWords(dimensions, d, [offset, offset])}`];
  if (input === d && offset === 0) return [`${one.field} as it came`];
  const from = dimensions.list[input];
  if (input < fieldCount && from !== undefined && from.kind !== 'atom') return [`${one.field} ${from.field}`];
  const high = offset + (last[input] ?? 0);
  return [high - offset === (dimensions.last[d] ?? 0) ? `${one.field} unknown` : `${one.field} any of ${valueWords(dimensions, d, [offset, high])}`];
}
