import { freshHost, type Place } from '../../generate/near/packets-near.js';
import type { ScenarioPacket, ScenarioStep } from '../../netfilter/scenario.js';
import { echo, quotingTypes } from '../../netfilter/scenario/packet-defaults.js';
import { isPing } from '../../netfilter/scenario/protocol-names.js';
import { isSure, isThrough, letInBy } from '../answers.js';
import { KnownFlows } from '../known-flows.js';
import { defineProperty } from '../property.js';

/** Programs that ask have such ports, and those that answer have others. */
const ports = { clients: 32_768, client: 40_000, services: 1024 };

/** A packet in the form of an answer, and one that asks the same of the same: if that gets in, the door is open anyway. */
interface Answer {
  readonly what: string;
  readonly question: ScenarioPacket;
  readonly asking: string;
}

function answerIn({ src, dst, ...packet }: ScenarioPacket, family: Place['ruleset']['family']): Answer | undefined {
  const ends = { ...src === undefined ? {} : { src }, ...dst === undefined ? {} : { dst } };
  const { proto, sport = 0, dport = 0, flags = 'S', type } = packet;
  const service = { ...ends, sport: ports.client, dport };
  if (proto === 'tcp') return /^[SEC]+$/u.test(flags) || flags === 'none' ? undefined : { what: `a segment with flags ${flags}`, question: { proto, ...service }, asking: 'a SYN' };
  if (proto === 'udp') return sport === 0 || sport >= ports.services || dport < ports.clients ? undefined : { what: `a datagram from port ${String(sport)}`, question: { proto, ...service }, asking: 'one from another port' };
  if (!isPing(proto)) return undefined;
  const isError = type !== undefined && quotingTypes[family].has(type);
  if (!isError && type !== echo[family].reply) return undefined;
  return { what: isError ? `an error of ICMP (type ${String(type)})` : 'an echo reply', question: { proto, ...ends, type: echo[family].request }, asking: 'an echo request' };
}

export const unaskedStaysOut = defineProperty({
  name: 'unasked-stays-out',
  summary: 'an answer that nobody asked for does not come in',
  doc: `A packet from outside in the form of an answer (TCP but for a SYN, UDP from a service's port to a client's, an echo reply, an ICMP error),
of which no flow has begun, is delivered or forwarded, where a packet that asks (a SYN, a datagram from another port, an echo request) would not be:
the rules take its form for proof that somebody asked. So is any packet called ESTABLISHED without a flow that has begun.`,
  test: place => {
    const { ruleset, terrain } = place;
    const isOpenAnyway = (step: ScenarioStep, packet: ScenarioPacket): boolean => {
      const answer = freshHost(place).sendInDetail({ in: step.in, packet }, false);
      return isThrough(answer) || !isSure(answer);
    };
    return ({ events }) => {
      const known = new KnownFlows();
      for (const [index, event] of events.entries()) {
        const { step, answer } = event;
        const isUnasked = step.in !== 'local' && step.in !== 'lo' && isThrough(answer) && isSure(answer) && !known.has(step.packet);
        known.add(event);
        if (!isUnasked) continue;
        if (answer.ct?.state === 'ESTABLISHED' && terrain.setup.conntrack === undefined) return { index, why: `a packet of a connection that nobody has begun comes in as ESTABLISHED: ${letInBy(answer)}` };
        const form = answerIn(step.packet, ruleset.family);
        if (form !== undefined && !isOpenAnyway(step, form.question)) return { index, why: `${form.what} comes in, which answers nothing: ${letInBy(answer)}; ${form.asking} does not` };
      }
      return undefined;
    };
  },
});
