import type { Sighting, Pipeline } from '../../packet-space/pipeline/index.js';
import { firstPacket } from '../../packet-space/pipeline/index.js';
import type { Constraint } from '../../packet/constraint.js';
import { printAddress } from '../../values/address.js';
import type { ProposedStep } from '../../witness/proposal.js';
import { stepOf } from '../../witness/step.js';
import type { Translation } from './translations.js';

/**
 * The first packet of a connection that a rule of nat translates, on a host from which the new destination is reached by another interface.
 * `isLost`: so are all such packets, whichever way they go. `packets`: it is one of these, as a person would choose it.
 */
export function translatedStep(pipeline: Pipeline, found: Sighting, { address }: Translation, isLost: boolean, packets?: Constraint): ProposedStep {
  const { sample } = firstPacket(pipeline, found, packets);
  const { path } = found.goal;
  const from = path === 'out' || path === 'loop' ? 'local' : sample.in ?? 'eth0';
  const step = stepOf(sample, from);
  const [only] = typeof address === 'string' || address.length > 1 ? [] : address;
  if (path === 'out' || path === 'loop' || only === undefined || only.low !== only.high) return step;
  const to = printAddress(only.low);
  return { ...step, sentOn: path === 'in' ? { address: to } : { address: to, device: (isLost && sample.out === from ? undefined : sample.out) ?? (from === 'eth0' ? 'eth1' : 'eth0') } };
}
