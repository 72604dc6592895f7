/** A packet on its way, and the answer to it on its way back. */
import { ctstates } from '../../packet/constraint.js';
import { dimensionOf } from '../dimensions.js';
import { likedClasses } from '../sample.js';
import type { Chains } from './chains.js';
import { freeInputsOf, type FreeInputs } from './free-inputs.js';
import { RuleChoices } from './fates/rule-choices.js';
import type { ChoiceNames } from './choice-names.js';
import { isSameOrigin, type Origins } from './origins.js';
import type { Classes } from './part.js';
import { Run, type Point, type RunSettings } from './run.js';
import { modesOf, type Mode } from './modes.js';
import { isRerouting, rerouting, stagesOf, translates, type NatMode, type Path, type Routing, type Stage } from './stages.js';
import { exchanged, isForward, pathOf, turn, type Back } from './turn.js';
import type { Watch } from './watch.js';

/** The ways of one rule set's packets, and the inputs that decide them. */
export interface Pipeline {
  readonly chains: Chains;
  readonly routed: boolean;
  readonly choices: ChoiceNames;
  readonly freeInputs: FreeInputs;
  /** Where the inputs of the answer begin: what it does not share with the packet that it answers. */
  readonly backInputs: number;
  /** The TTL of what was forwarded: one less, which is some other class. The packet's, and the answer's; -1 where no rule asks. */
  readonly ttlInputs: readonly [number, number];
  /** The interface that a packet leaves by which was routed anew, of the first packet and of what comes back; -1 where none is. */
  readonly outInputs: readonly [number, number];
  /** What the kernel may do in more than one way with packets that look alike, and where it is said which: see modes.ts. */
  readonly natInput: number;
  readonly rawInput: number;
  readonly modes: Readonly<Record<Path, readonly Mode[]>>;
  /** The classes of inputs that people's packets have, most liked first. */
  readonly likely: readonly (readonly [number, readonly number[]])[];
  /** The last class of each input. */
  readonly last: Classes;
  readonly forth: Readonly<Record<Path, readonly Stage[]>>;
  /** The same stages, as they are for packets that nat treats in another way. */
  readonly unusual: Readonly<Record<Exclude<NatMode, 'usual'>, Readonly<Record<Path, readonly Stage[]>>>>;
  readonly back: Readonly<Record<Path, readonly Stage[]>>;
}

/** The stages of all paths. */
export type Ways = Pick<Pipeline, 'routed' | 'forth' | 'unusual' | 'back'>;

export function waysOf(chains: Chains, routing: Routing | undefined): Ways {
  const routed = routing !== undefined;
  const each = (isReply: boolean, mode: NatMode = 'usual'): Pipeline['forth'] => ({
    in: stagesOf(chains, 'in', routed, isReply, mode), through: stagesOf(chains, 'through', routed, isReply, mode),
    out: stagesOf(chains, 'out', routed, isReply, mode), loop: stagesOf(chains, 'loop', routed, isReply, mode),
  });
  const [forth, back] = [each(false), each(true)];
  const unusual = chains.ruleset.tables.has('nat') ? { again: each(false, 'again'), asked: each(false, 'asked') } : { again: forth, asked: forth };
  return { routed, forth, unusual, back };
}

/** `isAlone`: no other rule set is to be followed with the same inputs, where two rules may be met by one packet. */
export function makePipeline(chains: Chains, ways: Ways, isAlone: boolean): Pipeline {
  const { forth, unusual, back } = ways;
  const last = [...chains.dimensions.last.subarray(0, chains.fieldCount)];
  const freeInputs = freeInputsOf(chains, [forth, unusual.again, unusual.asked].flatMap(one => Object.values(one).flat()), Object.values(back).flat(), last, isAlone);
  const backInputs = last.length;
  last.push(...chains.dimensions.last.subarray(0, chains.fieldCount));
  const ttl = dimensionOf(chains.dimensions, 'ttl');
  const ttlInputs = [ttl < 0 ? -1 : last.length, ttl < 0 ? -1 : last.length + 1] as const;
  if (ttl >= 0) last.push(chains.dimensions.last[ttl] ?? 0, chains.dimensions.last[ttl] ?? 0);
  const reroutes = isRerouting(chains);
  const outInputs = [reroutes ? last.length : -1, reroutes ? last.length + 1 : -1] as const;
  const out = chains.dimensions.last[dimensionOf(chains.dimensions, 'out')] ?? 0;
  if (reroutes) last.push(out, out);
  const [natInput, rawInput] = [last.length, last.length + 1];
  last.push(3, 1);
  const modes = { in: modesOf(chains, 'in', forth.in), through: modesOf(chains, 'through', forth.through), out: modesOf(chains, 'out', forth.out), loop: modesOf(chains, 'loop', forth.loop) };
  return {
    ...ways, chains, likely: likelyInputs(chains, backInputs), choices: new RuleChoices(chains), freeInputs, backInputs, ttlInputs, outInputs, natInput, rawInput, modes, last,
  };
}

/** More classes than this are not gone through for the one that is liked best. */
const likedLimit = 6;

function likelyInputs({ dimensions, fieldCount }: Chains, backInputs: number): [number, readonly number[]][] {
  return Array.from({ length: fieldCount }, (_, d) => likedClasses(dimensions, d).slice(0, likedLimit)).flatMap((liked, d): [number, readonly number[]][] => [[d, liked], [backInputs + d, liked]]);
}

/** A packet, and maybe what comes back, as it was followed. */
export interface Trip {
  readonly run: Run;
  readonly path: Path;
  /** Stages before this one are of the packet, the others of the answer. */
  readonly backFrom: number;
  readonly dropped: boolean;
  readonly backDropped: boolean;
  /** Routing sends the packet on another path: here it is no packet at all. */
  readonly isElsewhere: boolean;
  /** The packet's fields, of `run.stages[backFrom - 1]` and behind it. */
  readonly leaving: Run['origins'];
  /** The state of its connection behind raw. */
  readonly state: number;
}

export interface Following {
  readonly watch?: Watch | undefined;
  readonly back?: Back | undefined;
  readonly only?: ReadonlySet<number> | undefined;
  /** So many boxes may be looked up, if that is less than one packet may ever meet. */
  readonly lookups?: number | undefined;
}

/** A packet that meets more boxes is not followed to its end. */
export const lookupLimit = 200_000;

/** By `Mode.nat`. Where REJECT sends a packet of a connection that was dropped, only its source is still to be decided. */
function stagesIn({ forth, unusual }: Pipeline, path: Path, mode: number): readonly Stage[] {
  if (mode === 0) return forth[path];
  if (mode < 3) return (mode === 1 ? unusual.again : unusual.asked)[path];
  return forth[path].map((stage, i) => stage.table === 'nat' && translates(stage.hook)[0] === 'src' ? unusual.asked[path][i] ?? stage : stage);
}

/** Follows a packet along a path, and with `back` what comes back to it. @throws {OutOfBudget} where it meets too many boxes. */
export function follow(pipeline: Pipeline, path: Path, point: Point, { watch, back, only: there, lookups = lookupLimit }: Following = {}): Trip {
  const { chains, choices, freeInputs } = pipeline;
  const settings: RunSettings = { chains, choices, freeInputs, stateDimension: dimensionOf(chains.dimensions, 'ctstate'), watch, only: there, lookups: Math.min(lookups, lookupLimit) };
  const run = new Run(settings, point);
  const mode = point.inputs[pipeline.natInput];
  pass(pipeline, run, stagesIn(pipeline, path, mode ?? 0), path, false);
  const leaving = run.origins;
  const state = run.now[settings.stateDimension] ?? 0;
  const backFrom = run.stages.length;
  if (back !== undefined) {
    turn(pipeline, run, path, back);
    const next = pathOf(back, path);
    pass(pipeline, run, pipeline.back[next], next, true, isForward(back) ? leaving : undefined, state !== ctstates.UNTRACKED && state !== ctstates.INVALID);
  }
  const isElsewhere = run.drops.some(at => run.stages[at]?.stage.table === 'routing');
  return { run, path, backFrom, leaving, state, isElsewhere, dropped: run.drops.some(at => at < backFrom), backDropped: run.drops.some(at => at >= backFrom) };
}

const hasIn = new Set(['PREROUTING', 'INPUT', 'FORWARD']);
const hasOut = new Set(['FORWARD', 'OUTPUT', 'POSTROUTING']);

function pass(pipeline: Pipeline, run: Run, stages: readonly Stage[], path: Path, isReply: boolean, translated?: Run['origins'], isKnown = false): void {
  const { chains, ttlInputs } = pipeline;
  const { dimensions } = chains;
  const [input, output] = [dimensionOf(dimensions, 'in'), dimensionOf(dimensions, 'out')];
  const start = run.origins;
  /** By which interface it leaves, behind OUTPUT. */
  const sent = start.copy();
  let at = '';
  for (const stage of stages) {
    const before = run.origins;
    const place = stage.table === 'routing' ? 'routing' : stage.hook;
    if (place !== at) {
      const origins = run.origins = before.copy();
      // A packet that lo gives back was sent out of lo.
      if (!hasIn.has(stage.hook) && !(path === 'through' && place === 'POSTROUTING')) origins.setClass(input, 0);
      else if (path === 'loop') origins.set(input, sent.of(output));
      else origins.set(input, start.of(input));
      if (hasOut.has(place) || place === 'routing') origins.set(output, (place === 'OUTPUT' ? start : sent).of(output));
      else origins.setClass(output, 0);
      if (place === 'FORWARD' && ttlInputs[0] >= 0) origins.setInput(dimensionOf(dimensions, 'ttl'), ttlInputs[isReply ? 1 : 0]);
      run.refresh();
      at = place;
    }
    if (stage.table === 'raw') runRaw(pipeline, run, stage, isReply, path === 'loop' && stage.hook === 'PREROUTING');
    else {
      run.stage(stage, isReply);
      if (isReply && stage.table === 'nat') translateAlike(chains, run, stage, translated, isKnown);
    }
    if (stage.hook === 'OUTPUT') reroute(pipeline, run, stage, before, sent, isReply);
  }
}

/** Whoever changes what routing goes by has the packet routed anew: nobody knows whereto. */
function reroute({ chains: { dimensions }, outInputs }: Pipeline, run: Run, { table, does }: Stage, before: Origins, sent: Origins, isReply: boolean): void {
  const { fields: routed, bits } = table === 'routing' ? { fields: [], bits: 0 } : rerouting[table] ?? { fields: [], bits: 0 };
  if ((does & bits) === 0 && !isReply) return;
  const output = dimensionOf(dimensions, 'out');
  const looked = routed.flatMap(field => dimensions.fields.get(field) ?? []);
  const isWritten = looked.some(d => !isSameOrigin(before.of(d), run.origins.of(d)));
  if (isWritten && outInputs[0] >= 0) sent.setInput(output, outInputs[isReply ? 1 : 0]);
  // Any other packet of which this is to be said must have been written to alike.
  sent.touch(output, 1 << (run.stages.length - 1), does & bits);
  for (const d of looked) {
    const { stages, by } = before.of(d);
    sent.touch(output, stages, by);
  }
}

/**
 * In raw no connection is known yet, so that every packet looks INVALID; what it sets is what counts then. `isBack`: lo gives the
 * packet back, which is known by then, and what has a state keeps it.
 */
function runRaw({ chains, rawInput }: Pipeline, run: Run, stage: Stage, isReply: boolean, isBack: boolean): void {
  const state = dimensionOf(chains.dimensions, 'ctstate');
  const before = run.origins;
  const isSeen = isBack || (run.point.inputs[rawInput] === 1 && !isReply);
  run.origins = before.copy();
  if (!isSeen) run.origins.setClass(state, ctstates.INVALID);
  run.refresh();
  const was = run.now[state];
  run.stage(stage, isReply);
  if (isSeen ? was === ctstates.INVALID : run.now[state] === ctstates.UNTRACKED) return;
  const { stages: seen, by: did } = run.origins.of(state);
  run.origins = run.origins.copy();
  run.origins.set(state, before.of(state));
  // What no rule can exempt from tracking has its state whatever rules it met.
  if (isSeen || mayUntrack(chains, stage.chain)) run.origins.touch(state, seen, did);
  run.refresh();
}

const untracking = new WeakMap<Chains, Map<number, boolean>>();

/** Whether rules below a chain may make a packet UNTRACKED; those of helpers and zones only give it a template. */
function mayUntrack(chains: Chains, chain: number): boolean {
  let known = untracking.get(chains);
  if (known === undefined) untracking.set(chains, known = new Map<number, boolean>());
  let may = known.get(chain);
  if (may === undefined) {
    const state = dimensionOf(chains.dimensions, 'ctstate');
    const writes = [...chains.below(chain)].flatMap(id => chains.list[id]?.writing ?? []).flatMap(one => one.writes);
    known.set(chain, may = writes.some(write => write.dimension === state && (write.kind !== 'class' || write.value === ctstates.UNTRACKED)));
  }
  return may;
}

/**
 * nat translates packets of a connection as it did its first: answers get the addresses that their receiver knows (`translated` is
 * absent), later packets what the first one got.
 */
function translateAlike(chains: Chains, run: Run, stage: Stage, translated: Run['origins'] | undefined, tracked: boolean): void {
  const { dimensions } = chains;
  const state = dimensionOf(dimensions, 'ctstate');
  const { origins } = run;
  const { stages, by } = origins.of(state);
  const isTracked = run.now[state] !== ctstates.UNTRACKED && tracked;
  const next = run.origins = origins.copy();
  for (const field of translates(stage.hook)) {
    const others = dimensions.fields.get(exchanged[field] ?? field) ?? [];
    (dimensions.fields.get(field) ?? []).forEach((d, i) => {
      if (isTracked && translated !== undefined) next.set(d, translated.of(d));
      else if (isTracked) next.restart(d, others[i] ?? 0);
      next.touch(d, stages, by);
    });
  }
  run.refresh();
}
