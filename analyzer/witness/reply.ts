/** The answer of the other side: to what it saw of a packet, addresses translated or not. */
import type { DetailedStep } from '../netfilter/engine.js';
import type { ProposedStep } from './proposal.js';

type Packet = ProposedStep['packet'];

/** Address and port of the two ends. */
interface Ends {
  readonly src?: unknown;
  readonly dst?: unknown;
  readonly sport?: unknown;
  readonly dport?: unknown;
}

function isMirrored(a: Ends, b: Ends): boolean {
  return a.src === b.dst && a.dst === b.src && a.sport === b.dport && a.dport === b.sport;
}

function words({ src, dst, sport, dport }: Ends): Packet {
  const given = Object.entries({ src, dst, sport, dport });
  return Object.fromEntries(given.filter((one): one is [string, string | number] => typeof one[1] === 'string' || typeof one[1] === 'number'));
}

/** Which of the steps before `step` replies to: it says so, or has the addresses and ports of that one, exchanged. Undefined: none. */
export function answeredStep(step: ProposedStep, before: readonly ProposedStep[]): number | undefined {
  if (step.answers !== undefined) return step.answers;
  const at = before.findLastIndex(one => one.packet['proto'] === step.packet['proto'] && isMirrored(one.packet, step.packet));
  return at === -1 ? undefined : at;
}

/** A reply as the other side sends it: to what arrived there, as `answer` says. */
export function replyTo(step: ProposedStep, answer: DetailedStep | undefined): ProposedStep {
  const arrived: Ends | undefined = answer?.arrived ?? answer?.out[0];
  if (arrived === undefined) return step;
  const { proto = 'tcp', src, dst, sport, dport, ...rest } = step.packet;
  return { ...step, packet: { proto, ...words({ src: arrived.dst, dst: arrived.src, sport: arrived.dport, dport: arrived.sport }), ...rest } };
}
