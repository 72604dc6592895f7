/** Boxes that a packet passed without a match, and what others of its claim would match among them: the claim's holes. */
import type { PipelineChain } from './chains.js';
import { Step } from './chains.js';
import { unwrittenInput, type ClaimState, type FieldView } from './claim-state.js';
import type { Origins } from './origins.js';
import type { PartHole } from './part.js';
import { isChoice, type Frame, type StageRun } from './run.js';

/** A jump that a packet need not have made to be where a hole is. */
export interface Way {
  readonly frame: Frame;
  readonly box: number;
  readonly origins: Origins;
  readonly up: Way | undefined;
}

/** Boxes that were passed without a match. */
export interface Gap {
  readonly run: StageRun;
  readonly frame: Frame;
  readonly from: number;
  readonly to: number;
  readonly mask: number;
  readonly leads: readonly number[];
  readonly origins: Origins;
  readonly way: Way | undefined;
}

/** Of a claim with more holes only these are known without looking them up. */
export const writtenAtOnce = 16;
/** So many boxes are asked for what is not sure, before all are. */
const askedAtOnce = 16;

const none: readonly number[] = [];
/** Answers of `stateOf` that name no field. */
const meeting = -1;
const apart = -2;

/** The choices with which a packet that has the fields matches a box. */
export function choicesOf({ pipeline: { choices }, trip }: ClaimState, { stage, isReply }: StageRun, { chain, way }: Frame, box: number): (readonly [number, number])[] {
  const out: (readonly [number, number])[] = (chain.atoms[box] ?? none).map(atom => [choices.atom(atom >> 1, stage.epoch, isReply), atom & 1] as const);
  if (isChoice(trip.run.settings, chain, box, chain.soft)) out.push([choices.soft(way, chain.firstBox + box), 1]);
  return out;
}

/** A field that some box in a gap asks for, which the claim's packets may meet, and of which it is not sure where it came from; -1 where there is none. */
export function unsureIn(state: ClaimState, gap: Gap): number {
  // Where nothing is sure yet, all boxes of a long chain may be met, and the first of them tells.
  const { frame: { chain }, origins, mask, from, to } = gap;
  const view = state.view(origins);
  if (chain.asks.every(d => view.sure[d] === 1)) return -1;
  const few = chain.index.meeting(view, mask, from, to, [], askedAtOnce);
  const unsure = firstUnsure(state, view, chain, few);
  if (unsure >= 0) return unsure;
  return firstUnsure(state, view, chain, few.length < askedAtOnce ? leadsIn(gap) : boxesIn(state, gap).slice(few.length));
}

function firstUnsure(state: ClaimState, view: FieldView, chain: PipelineChain, boxes: readonly number[]): number {
  for (const box of boxes) {
    const unsure = stateOf(state, view, chain, box);
    if (unsure >= 0) return unsure;
  }
  return -1;
}

/** `apart` where no packet of the claim is in the box; a field of which it must be made sure where it came from; `meeting` where some may be. */
function stateOf(state: ClaimState, view: FieldView, { at, dim, lo, hi }: PipelineChain, box: number): number {
  let unsure = meeting;
  for (let i = at[box] ?? 0, end = at[box + 1] ?? 0; i < end; i++) {
    const [d, from, to] = [dim[i] ?? 0, lo[i] ?? 0, hi[i] ?? 0];
    if (view.sure[d] === 1) {
      if (from > (view.hi[d] ?? 0) || to < (view.lo[d] ?? 0)) return apart;
      continue;
    }
    const input = unwrittenInput(view, d, from, to);
    if (input >= 0) {
      if (from > (state.hi[input] ?? 0) || to < (state.lo[input] ?? 0)) return apart;
      continue;
    }
    if (unsure >= 0) {
      const [low, high] = state.interval(view.origins, d);
      if (from <= high && to >= low) continue;
    }
    unsure = d;
  }
  return unsure;
}

/** The boxes in a gap that packets of the claim may meet, as far as it is sure where their fields came from; of many, so many at least. */
export function boxesIn(state: ClaimState, gap: Gap, limit = Infinity): number[] {
  const { frame: { chain }, origins, mask, from, to, leads } = gap;
  const some = chain.index.meeting(state.view(origins), mask, from, to, [], limit);
  return leads.length === 0 ? some : [...some, ...leadsIn(gap)];
}

/** Those among them that only lead to what is looked for. */
function leadsIn({ frame: { chain }, mask, leads }: Gap): readonly number[] {
  return leads.filter(box => ((chain.bits[box] ?? 0) & mask) === 0 || chain.act[box] === Step.Skip);
}

/** Of many, a few are looked up first. */
function* fromLast(state: ClaimState, gap: Gap): Generator<number, void> {
  const few = boxesIn(state, gap, writtenAtOnce);
  yield* few.toReversed();
  if (few.length < writtenAtOnce) return;
  const known = new Set(few);
  for (const box of boxesIn(state, gap).reverse()) if (!known.has(box)) yield box;
}

/** What of the claim lies in boxes of a gap, one box after the other, what stands late first. */
export function* holesIn(state: ClaimState, gap: Gap): Generator<PartHole, void> {
  for (const box of fromLast(state, gap)) {
    const hole = stateOf(state, state.view(gap.origins), gap.frame.chain, box) === apart ? undefined : holeAt(state, gap, box);
    if (hole !== undefined) yield hole;
  }
}

function holeAt(state: ClaimState, gap: Gap, box: number): PartHole | undefined {
  const sides: [number, number, number][] = [];
  const choices: (readonly [number, number])[] = [];
  if (!addBox(state, gap.run, gap.frame, box, gap.origins, sides, choices)) return undefined;
  for (let way = gap.way; way !== undefined; way = way.up) if (!addBox(state, gap.run, way.frame, way.box, way.origins, sides, choices)) return undefined;
  return choices.some(([choice, value]) => state.choices.has(choice) && state.choices.get(choice) !== value) ? undefined : { sides, choices };
}

/** Adds what a box asks of the inputs; false where no input meets it. Fields that are not sure ask for nothing, and the hole is larger. */
function addBox(state: ClaimState, run: StageRun, frame: Frame, box: number, origins: Origins, sides: [number, number, number][], choices: (readonly [number, number])[]): boolean {
  const { chain } = frame;
  const view = state.view(origins);
  for (let i = chain.at[box] ?? 0; i < (chain.at[box + 1] ?? 0); i++) {
    const d = chain.dim[i] ?? 0;
    const isSure = view.sure[d] === 1;
    const from = origins.of(d);
    const input = isSure ? from.input : unwrittenInput(view, d, chain.lo[i] ?? 0, chain.hi[i] ?? 0);
    if (input < 0 && !isSure) continue;
    const offset = isSure ? from.offset : 0;
    const [low, high] = [(chain.lo[i] ?? 0) - offset, (chain.hi[i] ?? 0) - offset];
    if (input >= 0 ? !narrowSide(sides, input, low, high) : low > 0 || high < 0) return false;
  }
  if (chain.atoms[box] !== undefined || isChoice(state.trip.run.settings, chain, box, chain.soft)) choices.push(...choicesOf(state, run, frame, box));
  return true;
}

/** Notes an interval of an input, cut with what is known of it; false where nothing is left. */
function narrowSide(sides: [number, number, number][], input: number, low: number, high: number): boolean {
  for (const side of sides) {
    if (side[0] !== input) continue;
    if (low > side[1]) side[1] = low;
    if (high < side[2]) side[2] = high;
    return side[1] <= side[2];
  }
  sides.push([input, low, high]);
  return low <= high;
}
