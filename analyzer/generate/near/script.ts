/** What is said in a conversation, and in which order: drawn before anything is played. */
import type { ScenarioStep } from '../../netfilter/scenario.js';
import { scriptOf } from '../../netfilter/scenario/scripts.js';
import type { Arbitrary, Fc } from '../../values/value.js';
import { drawnPackets, type Drawn, type Place } from './packets-near.js';

/** One thing that happens. */
export type Turn = { readonly advance: number } & (
  /** The next packets of a flow, by the one or the other side, as they should be. */
  | { readonly kind: 'next'; readonly flow: number; readonly count: number }
  /** So many others begin what the client of the flow has begun, from the same address. */
  | { readonly kind: 'crowd'; readonly flow: number; readonly count: number }
  /** The other side says that the last packet of the flow could not be delivered. */
  | { readonly kind: 'error'; readonly flow: number }
  /** A packet that belongs to nothing. */
  | { readonly kind: 'stray'; readonly step: ScenarioStep }
);

export interface Script {
  /** Sent before all else: packets of which it is known that they lead somewhere. */
  readonly before: readonly ScenarioStep[];
  readonly flows: readonly Drawn[];
  readonly turns: readonly Turn[];
}

/** So many are enough for the bursts and hit counts that people write. */
const largestCrowd = 21;
/** Seconds: enough for a limit to recover, or for a list to forget. */
const pauses = [0.1, 1, 11, 61] as const;
/** All packets of a conversation of TCP. */
const longest = scriptOf('tcp').length;

function turns(fc: Fc, place: Place): Arbitrary<Turn> {
  const advance = fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(...pauses) });
  const flow = fc.nat(2);
  return fc.oneof(
    { weight: 10, arbitrary: fc.record({ kind: fc.constant('next' as const), flow, count: fc.integer({ min: 1, max: longest }), advance }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('crowd' as const), flow, count: fc.integer({ min: 1, max: largestCrowd }), advance }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('error' as const), flow, advance }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('stray' as const), step: drawnPackets(fc, place, 'any').map(({ step }) => step), advance }) },
  );
}

/** Each of them, but for one now and then. */
function mostOf(fc: Fc, steps: readonly ScenarioStep[]): Arbitrary<readonly ScenarioStep[]> {
  return fc.tuple(...steps.map(step => fc.option(fc.constant(step), { nil: undefined, freq: 40 }))).map(kept => kept.filter(one => one !== undefined));
}

/** Scripts near the rules. Some begin with packets of `preludes`, and all flows of some have one client. */
export function scripts(fc: Fc, place: Place, preludes: readonly (readonly ScenarioStep[])[] = []): Arbitrary<Script> {
  const nothing = fc.constant<readonly ScenarioStep[]>([]);
  const before = preludes.length === 0 ? nothing : fc.oneof({ weight: 2, arbitrary: nothing }, { weight: 1, arbitrary: fc.constantFrom(...preludes).chain(steps => mostOf(fc, steps)) });
  return fc.record({
    before, flows: fc.array(drawnPackets(fc, place, 'questions'), { minLength: 1, maxLength: 3 }), turns: fc.array(turns(fc, place), { minLength: 1, maxLength: 8, size: 'max' }), isOneClient: fc.boolean(),
  }).map(({ flows, isOneClient, ...rest }) => ({ ...rest, flows: isOneClient ? ofOneClient(flows) : flows }));
}

function ofOneClient([first, ...others]: readonly Drawn[]): readonly Drawn[] {
  if (first === undefined) return [];
  const { in: from, packet: { src } } = first.step;
  return [first, ...others.map(({ step, isSpoofed }) => step.in === from ? { isSpoofed: first.isSpoofed, step: { ...step, packet: { ...step.packet, src } } } : { step, isSpoofed })];
}
