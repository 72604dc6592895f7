import type { Event } from '../../generate/near/play.js';
import { hasPorts } from '../../netfilter/scenario/protocol-names.js';
import { isSure, isThrough, letInBy } from '../answers.js';
import { KnownFlows } from '../known-flows.js';
import { defineProperty, type Wishes } from '../property.js';

/** Whether it comes from outside for a port that is not listed. */
function isForOther({ step }: Event, { allowed = [], untrusted }: Wishes): boolean {
  const { proto, dport } = step.packet;
  if (step.in === 'local' || step.in === 'lo' || untrusted?.includes(step.in) === false) return false;
  return dport !== undefined && hasPorts(proto) && !allowed.some(({ proto: of = proto, low, high }) => of === proto && low <= dport && dport <= high);
}

export const newOnlyToListedPorts = defineProperty({
  name: 'new-only-to-listed-ports',
  summary: 'no new packet from an untrusted interface reaches a port outside the list',
  doc: `A packet that belongs to no flow that has begun comes from an untrusted interface, and is delivered or forwarded, though the port that it
was sent to (before any DNAT) is not in the list. Knocking on other ports first counts: the conversation shows how.`,
  skipped: ({ allowed }) => allowed === undefined ? 'it needs to know which ports: --allow-ports 22,80,443' : undefined,
  test: (_, wishes) => ({ events }) => {
    const known = new KnownFlows();
    for (const [index, event] of events.entries()) {
      const { step: { in: from, packet }, answer } = event;
      if (isThrough(answer) && isSure(answer) && isForOther(event, wishes) && answer.ct?.state !== 'ESTABLISHED' && answer.ct?.state !== 'RELATED' && !known.has(packet)) {
        return { index, why: `a new packet from ${from} reaches ${String(packet.proto)} port ${String(packet.dport)}: ${letInBy(answer)}` };
      }
      known.add(event);
    }
    return undefined;
  },
});
