/** ICMP errors of a witness: about packets as they left the host. */
import type { WitnessStep } from '../finding.js';
import type { DetailedStep } from '../netfilter/engine.js';
import type { ProposedStep } from './proposal.js';

/** What an error shows of the packet that it is about. */
const quoted = ['proto', 'src', 'dst', 'sport', 'dport', 'flags'] as const;

/** An error as a router sends it about a packet; `answer`: what became of that. Without a quote where it did not leave. */
export function errorAbout(step: ProposedStep, answer: DetailedStep | undefined): ProposedStep {
  const left = answer?.out[0];
  if (left === undefined) return step;
  const quote = Object.fromEntries(quoted.flatMap(name => left[name] === undefined ? [] : [[name, left[name]]]));
  return { ...step, packet: { ...step.packet, ...left.src === undefined ? {} : { dst: left.src } }, quote };
}

/** A step as it is printed, and played. */
export function toldStep({ in: from, packet, quote }: ProposedStep): WitnessStep {
  return { in: from, packet: quote === undefined ? packet : { ...packet, quote } };
}
