/** Which flows have begun in a played conversation: a packet of theirs has arrived, or gone on. */
import type { Event } from '../generate/near/play.js';
import type { ScenarioPacket } from '../netfilter/scenario.js';
import { packetDefaults } from '../netfilter/scenario/packet-defaults.js';
import { isPing } from '../netfilter/scenario/protocol-names.js';
import { isThrough } from './answers.js';

/** The same for both directions. */
function keyOf({ proto, src = '', dst = '', sport, dport, id }: ScenarioPacket): string {
  const number = isPing(proto) ? id ?? packetDefaults.icmpId : '';
  const ends = [`${src} ${String(sport ?? number)}`, `${dst} ${String(dport ?? number)}`];
  return [String(proto), ...ends.sort()].join(' ');
}

/** Whether two packets are of the same flow, as far as no address was translated. */
export function isSameFlow(one: ScenarioPacket, other: ScenarioPacket): boolean {
  return keyOf(one) === keyOf(other);
}

export class KnownFlows {
  readonly #keys = new Set<string>();

  /** Whether the packet, or the one that it is an error about, is of a flow that has begun. */
  has(packet: ScenarioPacket): boolean {
    return this.#keys.has(keyOf(packet)) || (packet.quote !== undefined && this.has(packet.quote));
  }

  /** Takes note of a packet, as it was sent and as it came out. */
  add({ step, answer }: Event): void {
    if (!isThrough(answer)) return;
    for (const one of [step.packet, answer.arrived, ...answer.out]) if (one !== undefined) this.#keys.add(keyOf(one));
  }
}
