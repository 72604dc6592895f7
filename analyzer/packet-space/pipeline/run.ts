/** One packet followed along a path, and where each of its fields came from. */
import { ctstates } from '../../packet/constraint.js';
import { holds } from '../boxes.js';
import { writersOf, writes as allWrites } from './classes.js';
import { Step, type Chains, type PipelineChain } from './chains.js';
import { occasion, type FreeInputs } from './free-inputs.js';
import type { ChoiceNames } from './choice-names.js';
import { Origins } from './origins.js';
import type { Classes } from './part.js';
import { statesLike, type Stage } from './stages.js';
import type { Write } from './values.js';
import type { Watch } from './watch.js';

/**
 * A packet: a class for each input, and the choices that are not the usual ones. What is a matter of choice (whether `limit` matches
 * this time, whether an address is local) is 0 unless it is said.
 */
export interface Point {
  readonly inputs: Classes;
  readonly choices: ReadonlyMap<number, number>;
}

/** A box that was matched and mattered. */
export interface StepTaken {
  readonly box: number;
  readonly origins: Origins;
  readonly below: Frame | undefined;
  readonly ends: boolean;
}

/** One run of a chain. */
export interface Frame {
  readonly chain: PipelineChain;
  /** How it was called, for choices. */
  readonly way: number;
  readonly steps: StepTaken[];
  /** Boxes from here on were not looked at. */
  stop: number;
  /** The fields behind it. */
  after: Origins;
}

export interface StageRun {
  readonly stage: Stage;
  /** Its bit in `Origins.stages`. */
  readonly number: number;
  readonly isReply: boolean;
  /** The fields as they come. */
  readonly origins: Origins;
  readonly state: number;
  frame: Frame | undefined;
  dropped: boolean;
}

export class OutOfBudget extends Error {}

/** Everything about how packets are run that does not change from packet to packet. */
export interface RunSettings {
  readonly chains: Chains;
  readonly choices: ChoiceNames;
  /** The inputs that stand for what a write leaves open. */
  readonly freeInputs: FreeInputs;
  readonly stateDimension: number;
  readonly watch: Watch | undefined;
  /** Any rule but these may or may not be there. */
  readonly only: ReadonlySet<number> | undefined;
  /** So many boxes may be looked up. */
  readonly lookups: number;
}

/** Whether it is left to choice that a box matches. */
export function isChoice({ only }: RunSettings, chain: PipelineChain, box: number, soft: Uint8Array): boolean {
  return soft[box] === 1 || (only !== undefined && (chain.rule[box] ?? -1) >= 0 && !only.has(chain.rule[box] ?? -1));
}

const none: readonly number[] = [];

/** Carries out one pass (a packet, or the answer to it) stage by stage. */
export class Run {
  readonly settings: RunSettings;
  readonly point: Point;
  readonly stages: StageRun[] = [];
  /** The stages at which it was dropped; it goes on as if it were not, so that a proof may choose its reason. */
  readonly drops: number[] = [];
  /** The stages at which the rule that is looked out for was matched. */
  readonly seen: number[] = [];
  work = 0;
  origins: Origins;
  readonly #now: Int32Array;
  readonly #written = new Set<number>();

  constructor(settings: RunSettings, point: Point) {
    this.settings = settings;
    this.point = point;
    const size = settings.chains.fieldCount;
    this.origins = Origins.identity(size);
    this.#now = new Int32Array(size);
    this.refresh();
  }

  /** The classes of the fields as they are. */
  get now(): Int32Array {
    return this.#now;
  }

  /** After the origins were changed. */
  refresh(): void {
    for (let d = 0; d < this.#now.length; d++) this.#now[d] = this.origins.valueOf(d, this.point.inputs);
  }

  stage(stage: Stage, isReply: boolean): void {
    const number = this.stages.length;
    const run: StageRun = { stage, number, isReply, origins: this.origins, state: this.#now[this.settings.stateDimension] ?? 0, frame: undefined, dropped: false };
    this.stages.push(run);
    const chain = this.settings.chains.list[chainFor(stage, run.state)];
    if (chain !== undefined) {
      const verdict = this.#chain(chain, run, number);
      run.frame = verdict.frame;
      run.dropped = verdict.ends === Step.Drop || (verdict.ends === 0 && chain.policy === 'DROP');
      if (run.dropped) this.drops.push(number);
    }
    this.#guard(number, stage.does);
  }

  /** Whatever it may write came about only because it did not, or did. */
  #guard(number: number, does: number): void {
    if ((does & allWrites) === 0) return;
    const writers = writersOf(this.settings.chains.dimensions);
    this.origins = this.origins.copy();
    for (let d = 0; d < this.#now.length; d++) {
      const bit = writers[d] ?? 0;
      if ((bit & does) !== 0) this.origins.touch(d, 1 << number, bit);
    }
  }

  /** Whether the packet meets what a box asks beside fields. */
  #agrees({ chain, way }: Frame, box: number, { stage, isReply }: StageRun, soft: Uint8Array): boolean {
    const { choices } = this.settings;
    for (const atom of chain.atoms[box] ?? none) {
      if ((this.point.choices.get(choices.atom(atom >> 1, stage.epoch, isReply)) ?? 0) !== (atom & 1)) return false;
    }
    return !isChoice(this.settings, chain, box, soft) || this.point.choices.get(choices.soft(way, chain.firstBox + box)) === 1;
  }

  #chain(chain: PipelineChain, run: StageRun, way: number): { readonly frame: Frame; readonly ends: number } {
    const frame: Frame = { chain, way, steps: [], stop: chain.count, after: this.origins };
    let at = 0;
    let ends = 0;
    while (ends === 0) {
      if (++this.work > this.settings.lookups) throw new OutOfBudget('one packet meets too many rules');
      const box = this.#next(chain, at);
      this.#look(frame, run, at, Math.min(box, chain.count - 1));
      if (box >= chain.count) break;
      if (this.#agrees(frame, box, run, chain.soft)) {
        ends = this.#step(frame, box, run);
        at = chain.end[box] ?? 0;
      } else at = box + 1;
    }
    frame.after = this.origins;
    return { frame, ends: ends === Step.Leave ? 0 : ends };
  }

  /** The next box that holds the packet, of those that do anything or lead to the watched rule. */
  #next(chain: PipelineChain, at: number): number {
    const box = chain.index.first(this.#now, at, chain.count);
    const { watch } = this.settings;
    if (watch === undefined) return box;
    for (const lead of watch.idle(chain)) if (lead >= at && lead < box && holds(chain, lead, this.#now)) return lead;
    return box;
  }

  /** Looks out for the watched rule among boxes from `from` to `last`. */
  #look(frame: Frame, run: StageRun, from: number, last: number): void {
    const { chain } = frame;
    const { watch } = this.settings;
    if (watch?.chain !== chain.id || this.seen.at(-1) === run.number) return;
    for (let box = Math.max(from, watch.from); box < watch.to && box <= last; box++) {
      if (!holds(chain, box, this.#now) || !this.#agrees(frame, box, run, chain.doubt)) continue;
      this.seen.push(run.number);
      return;
    }
  }

  /** Does what a matched box says; what ends the chain, or 0. */
  #step(frame: Frame, box: number, run: StageRun): number {
    const { chain } = frame;
    const act = chain.act[box] ?? 0;
    const { origins } = this;
    let ends: number = act === Step.Write ? 0 : act;
    let below: Frame | undefined;
    const writes = chain.writes[box];
    if (writes !== undefined) this.#write(writes, run);
    if (act === Step.Jump || act === Step.Goto) {
      const callee = this.settings.chains.list[chain.callee[box] ?? -1];
      if (callee === undefined) return 0;
      const result = this.#chain(callee, run, this.settings.choices.below(frame.way, chain.firstBox + box));
      below = result.frame;
      ends = result.ends !== 0 ? result.ends : act === Step.Goto ? Step.Leave : 0;
    }
    frame.steps.push({ box, origins, below, ends: ends === Step.Accept || ends === Step.Drop });
    if (ends !== 0) frame.stop = box;
    return ends;
  }

  /** Each time something unknown is written it may be something else: the first input of this place that no write took yet. */
  #freeInput(write: Write, { stage, isReply }: StageRun): number {
    const inputs = this.settings.freeInputs.get(write);
    for (let turn = 0; ; turn++) {
      const input = inputs?.get(occasion(stage, isReply, turn));
      if (input === undefined) throw new OutOfBudget('something unknown is written too many times');
      if (this.#written.has(input)) continue;
      this.#written.add(input);
      return input;
    }
  }

  #write(writes: readonly Write[], run: StageRun): void {
    const before = this.origins;
    this.origins = before.copy();
    for (const write of writes) {
      if (write.kind === 'class') this.origins.write(write.dimension, -1, write.value);
      else if (write.kind === 'free') this.origins.write(write.dimension, this.#freeInput(write, run), write.low);
      else this.origins.writeCopy(write.dimension, before.of(write.from));
      this.#now[write.dimension] = this.origins.valueOf(write.dimension, this.point.inputs);
    }
  }
}

/** nat is asked for NEW; what is under way is translated as it was before; all else passes by. */
export function chainFor(stage: Stage, state: number): number {
  if (!stage.byState || state === ctstates.NEW) return stage.chain;
  return statesLike(state)[0] === ctstates.ESTABLISHED ? stage.underWay : -1;
}
