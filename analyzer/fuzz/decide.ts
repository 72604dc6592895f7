/** What exact reasoning calls possible, decided by search: a conversation in which it happens, with nothing left to assume. */
import { placeOf } from '../generate/near/packets-near.js';
import { play } from '../generate/near/play.js';
import { preludesTo } from '../generate/near/preludes.js';
import { scripts, type Script } from '../generate/near/script.js';
import type { WitnessHost, WitnessStep } from '../finding.js';
import type { Ruleset } from '../model/ruleset.js';
import type { ScenarioStep } from '../netfilter/scenario.js';
import { hasPorts } from '../netfilter/scenario/protocol-names.js';
import type { Fc } from '../values/value.js';
import type { Proposal } from '../witness/proposal.js';
import { rehearse } from '../witness/rehearse.js';

export interface DecideOptions {
  /** Conversations that are tried for each proposal. */
  readonly runs: number;
  readonly seed: number;
}

export interface Decided {
  readonly steps: readonly WitnessStep[];
  readonly host: WitnessHost | undefined;
}

/** What is sent before the packets of a proposal. */
interface Before {
  readonly script: Script;
  /** All of it comes from the client of the proposal. */
  readonly isOneClient: boolean;
  /** So many others like the first packet. */
  readonly crowd: number;
}

const largestCrowd = 21;

function beforeOf(place: ReturnType<typeof placeOf>, { steps: [first] }: Proposal, { script, isOneClient, crowd }: Before): readonly ScenarioStep[] {
  const src = first?.packet['src'];
  // An error quotes a packet, for which a witness has no words.
  const sent = play(place, script).events.filter(({ step }) => step.packet.quote === undefined).map(({ step: { in: from, packet } }): ScenarioStep => ({ in: from, packet: isOneClient && from === first?.in && typeof src === 'string' ? { ...packet, src } : packet }));
  if (first === undefined) return sent;
  const { proto = 'tcp', ...packet } = first.packet;
  const others = Array.from({ length: crowd }, (_, index): ScenarioStep => ({ in: first.in, packet: { proto: String(proto), ...packet, ...hasPorts(String(proto)) ? { sport: 50_001 + index } : {} } }));
  return [...sent, ...others];
}

/** Without the packets that it goes without. */
function needed(steps: readonly ScenarioStep[], isEnough: (steps: readonly ScenarioStep[]) => boolean): readonly ScenarioStep[] {
  let kept = steps;
  for (let index = steps.length - 1; index >= 0; index--) {
    const fewer = kept.filter((_, at) => at !== index);
    if (isEnough(fewer)) kept = fewer;
  }
  return kept;
}

/** Packets before those of the proposal, after which these show what they are to show; undefined where none are found. The same options find the same. */
export function decide(fc: Fc, ruleset: Ruleset, proposal: Proposal, { runs, seed }: DecideOptions): Decided | undefined {
  const rehearsal = rehearse(ruleset, proposal);
  if (rehearsal === undefined) return undefined;
  const atOnce = rehearsal.after([]);
  if (atOnce !== undefined) return { steps: atOnce, host: rehearsal.host };
  const place = placeOf(ruleset, rehearsal.setup);
  const drawn = fc.record({ script: scripts(fc, place, preludesTo(place)), isOneClient: fc.boolean(), crowd: fc.oneof(fc.constant(0), fc.nat(largestCrowd)) });
  const { counterexample } = fc.check(fc.property(drawn, before => rehearsal.after(beforeOf(place, rehearsal.proposal, before)) === undefined), { seed, numRuns: runs });
  const steps = counterexample === null ? undefined : rehearsal.after(needed(beforeOf(place, rehearsal.proposal, counterexample[0]), before => rehearsal.after(before) !== undefined));
  return steps === undefined ? undefined : { steps, host: rehearsal.host };
}
