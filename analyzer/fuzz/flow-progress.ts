/** How far the flows of a played conversation have come, as long as nothing but the rules can be to blame for what gets lost. */
import type { Event, Played } from '../generate/near/play.js';
import { addressKind } from '../witness/address-kind.js';
import { isSure, isThrough } from './answers.js';
import { isSameFlow } from './known-flows.js';
import type { Breach } from './property.js';

/** A packet that follows the one before it after so many seconds is not late for any timeout of connection tracking. */
const prompt = 10;

export interface Said extends Event {
  readonly said: NonNullable<Event['said']>;
}

interface Progress {
  readonly before: Said[];
  /** What the rules cannot help has happened: not known, late, or somebody else's packet of the same ends. */
  isSpoilt: boolean;
  last: number;
}

function hasAnswer({ step: { packet }, answer }: Event): boolean {
  return addressKind(packet.dst ?? '') === 'unicast' && addressKind(answer.arrived?.dst ?? answer.out[0]?.dst ?? packet.dst ?? '') === 'unicast';
}

/** Says why a packet should have fared otherwise, given those of its flow that came before it. */
type Blame = (event: Said, before: readonly Said[]) => string | undefined;

/** The first packet of a flow of which `blame` says why it should not have been lost. */
export function firstLost(played: Played, blame: Blame): Breach | undefined {
  return firstBlamed(played, (event, before) => isThrough(event.answer) ? undefined : blame(event, before));
}

/** The first packet of a flow, lost or not, of which `blame` says something. */
export function firstBlamed({ events, place: { terrain } }: Played, blame: Blame): Breach | undefined {
  const flows = new Map<number, Progress>();
  const strangers = events.filter(({ said }) => said === undefined);
  let now = 0;
  for (const [index, event] of events.entries()) {
    now += event.step.advance ?? 0;
    const { said, step, answer } = event;
    if (said === undefined) continue;
    const progress: Progress = flows.get(said.flow.number) ?? { before: [], isSpoilt: said.flow.isSpoofed || strangers.some(one => isSameFlow(one.step.packet, step.packet)), last: now };
    flows.set(said.flow.number, progress);
    const isBroadcast = answer.verdict === 'delivered' && said.position === 0 && terrain.wayTo(answer.arrived?.dst ?? '') !== 'local' && addressKind(answer.arrived?.dst ?? '') === 'unicast';
    progress.isSpoilt ||= now - progress.last > prompt || !isSure(answer) || isBroadcast || !hasAnswer(event);
    progress.last = now;
    if (progress.isSpoilt) continue;
    const why = blame({ ...event, said }, progress.before);
    if (why !== undefined) return { index, why };
    progress.before.push({ ...event, said });
  }
  return undefined;
}
