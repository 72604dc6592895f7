/** What a claim comes to be: its box, smaller with each comparison that is pinned, and what holds of where its packets' fields came from. */
import { ctstates } from '../../packet/constraint.js';
import type { Intervals } from '../intervals.js';
import { writes } from './classes.js';
import type { Origins } from './origins.js';
import type { Part } from './part.js';
import type { Pipeline, Trip } from './passes.js';
import { chainFor, type StageRun } from './run.js';
import { meets, writtenBelow } from './written.js';

/** The fields at some place on the way, as far as it is sure where they came from: lo … hi; anything where it is not. */
export interface FieldView {
  readonly origins: Origins;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  /** 1 where it is sure where the field came from. */
  readonly sure: readonly number[];
  /** Where it is not: the input that the field is unless it was written; -1 where there is none. */
  readonly unwritten: readonly number[];
  /** The class of that input that the packet itself has there, if it was written for that packet; else -1. */
  readonly own: readonly number[];
  /** What may have been written to such a field. */
  readonly written: readonly (readonly Intervals[] | undefined)[];
}

const none: readonly never[] = [];

export class ClaimState {
  readonly pipeline: Pipeline;
  readonly trip: Trip;
  readonly lo: number[];
  readonly hi: number[];
  readonly choices: Map<number, number>;
  /** Of each stage: writes that are sure to be the same. */
  readonly #sure: number[];
  /** Until anything changes. */
  readonly #views = new Map<Origins, FieldView>();

  constructor(pipeline: Pipeline, trip: Trip, within: Part) {
    this.pipeline = pipeline;
    this.trip = trip;
    this.lo = within.lo.slice();
    this.hi = within.hi.slice();
    this.choices = new Map(within.choices);
    this.#sure = trip.run.stages.map(() => 0);
  }

  stage(at: number): StageRun {
    const run = this.trip.run.stages[at];
    if (run === undefined) throw new RangeError(`stage ${String(at)}`);
    return run;
  }

  cut(input: number, low: number, high: number): void {
    if (low > (this.lo[input] ?? 0)) this.#change(this.lo, input, low);
    if (high < (this.hi[input] ?? 0)) this.#change(this.hi, input, high);
  }

  #change(sides: number[], input: number, value: number): void {
    sides[input] = value;
    this.#views.clear();
  }

  /** Of the writes those that a stage does, and that were not sure yet: now they are. */
  makeSure(at: number, by: number): number {
    const mask = by & this.stage(at).stage.does & writes & ~(this.#sure[at] ?? 0);
    if (mask !== 0) this.#change(this.#sure, at, (this.#sure[at] ?? 0) | mask);
    return mask;
  }

  /** Whether the field came for all packets of the claim from where it came on the trip. */
  isSure(origins: Origins, d: number): boolean {
    const { stages, by } = origins.of(d);
    for (let bits = stages; bits !== 0; bits &= bits - 1) {
      const at = 31 - Math.clz32(bits & -bits);
      const mask = by & this.stage(at).stage.does & writes;
      if (((this.#sure[at] ?? 0) & mask) !== mask) return false;
    }
    return true;
  }

  view(origins: Origins): FieldView {
    let known = this.#views.get(origins);
    if (known === undefined) this.#views.set(origins, known = this.#look(origins));
    return known;
  }

  #look(origins: Origins): FieldView {
    const { dimensions: { last }, fieldCount } = this.pipeline.chains;
    const [lo, hi] = [new Int32Array(fieldCount), last.slice(0, fieldCount)];
    const [sure, unwritten, own] = [new Array<number>(fieldCount).fill(0), new Array<number>(fieldCount).fill(-1), new Array<number>(fieldCount).fill(-1)];
    const written = new Array<readonly Intervals[] | undefined>(fieldCount);
    for (let d = 0; d < fieldCount; d++) {
      if (this.isSure(origins, d)) {
        sure[d] = 1;
        [lo[d], hi[d]] = this.interval(origins, d);
        continue;
      }
      const { input: from, offset, unwritten: input } = origins.of(d);
      const sets = input < 0 ? undefined : this.#writtenTo(origins, d);
      if (sets === undefined) continue;
      unwritten[d] = input;
      written[d] = sets;
      // It was written for the packet itself, which would lie in what is left out for this.
      if (from !== input || offset !== 0) own[d] = this.trip.run.point.inputs[input] ?? 0;
    }
    return { origins, lo, hi, sure, unwritten, own, written };
  }

  /** Where a field lies for the packets of the claim, if it came from where it came on the trip. */
  interval(origins: Origins, d: number): readonly [number, number] {
    const { input, offset } = origins.of(d);
    return input < 0 ? [offset, offset] : [(this.lo[input] ?? 0) + offset, (this.hi[input] ?? 0) + offset];
  }

  /** Sets of classes that stages may have written to a field; undefined where that is not known. */
  #writtenTo(origins: Origins, d: number): readonly Intervals[] | undefined {
    const { stages, by } = origins.of(d);
    const sets: Intervals[] = [];
    for (let bits = stages; bits !== 0; bits &= bits - 1) {
      for (const base of this.#basesOf(this.stage(31 - Math.clz32(bits & -bits)))) {
        const written = writtenBelow(this.pipeline.chains, base, by, d);
        if (written === undefined) return undefined;
        sets.push(written);
      }
    }
    return sets;
  }

  /** The chains that a stage may be for packets of the claim. */
  #basesOf({ stage, origins }: StageRun): readonly number[] {
    if (!stage.byState) return [stage.chain];
    const state = this.pipeline.chains.dimensions.fields.get('ctstate')?.[0] ?? 0;
    const [low, high] = this.isSure(origins, state) ? this.interval(origins, state) : [ctstates.INVALID, ctstates.UNTRACKED];
    const bases = new Set<number>();
    for (let at = low; at <= high; at++) bases.add(chainFor(stage, at));
    bases.delete(-1);
    return [...bases];
  }
}

/**
 * Where it is not sure where a field came from, but nobody can have written any of the classes low … high: the input that it is, if it is any of them.
 * -1 where that cannot be said.
 */
export function unwrittenInput({ unwritten, own, written }: FieldView, d: number, low: number, high: number): number {
  const input = unwritten[d] ?? -1;
  if (input < 0) return -1;
  const at = own[d] ?? -1;
  if (at >= low && at <= high) return -1;
  for (const set of written[d] ?? none) if (meets(set, low, high)) return -1;
  return input;
}
