/** Journeys in the words of a scenario's answer. */
import { conntrackAnswers, type Conntrack } from './conntrack/conntrack.js';
import { describePacket } from './scenario/describe-packet.js';
import type { HostState } from './host-state.js';
import { ctAnswer, deciderName, nameOf, type Fate, type Journey } from './journey.js';
import type { GeneratedAnswer, SentPacket, StepAnswer } from './scenario.js';

function verdictOf(fate: Fate | undefined): string {
  switch (fate?.kind) {
    case undefined: return 'drop';
    case 'forwarded': case 'sent': return `${fate.kind} ${fate.out}`;
    case 'reject': return `reject ${fate.how}`;
    case 'delivered': case 'drop': return fate.kind;
  }
}

function sentBy({ sent }: Journey): readonly SentPacket[] {
  return sent.map(packet => ({ ...describePacket(packet.bytes, packet.family), oif: packet.out }));
}

function generatedBy(journey: Journey): readonly GeneratedAnswer[] {
  return journey.generated.flatMap(own => [{
    packet: describePacket((own.origin ?? own.packet).bytes, own.packet.family),
    path: own.steps.map(nameOf),
    ct: own.seen === undefined ? null : ctAnswer(own.seen),
    out: sentBy(own),
  }, ...generatedBy(own)]);
}

/** The answer to a step whose packet made these journeys: one, or one for each of its fragments. */
export function answerOf(journeys: readonly Journey[], conntrack: Conntrack, state: HostState): StepAnswer {
  const last = journeys.at(-1);
  const fate = last?.fate;
  const chance = state.takeChances();
  const unknown = journeys.flatMap(journey => journey.unknowns);
  return {
    path: journeys.flatMap(journey => journey.steps.map(nameOf)),
    verdict: verdictOf(fate),
    by: fate !== undefined && 'by' in fate ? deciderName(fate.by) : null,
    out: journeys.flatMap(sentBy),
    ct: last?.seen === undefined ? null : ctAnswer(last.seen),
    conntrack: conntrackAnswers(conntrack),
    generated: journeys.flatMap(generatedBy),
    ...chance.length === 0 ? {} : { chance },
    ...unknown.length === 0 ? {} : { unknown },
  };
}
