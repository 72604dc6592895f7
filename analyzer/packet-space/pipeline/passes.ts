/** A packet on its way, and the answer to it on its way back. */
import { ctstates, type Field } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import { classOf, type Dimensions } from '../dimensions.js';
import type { Region } from '../boxes.js';
import { likedClasses } from '../sample.js';
import type { Chains } from './chains.js';
import { RuleChoices } from './fates/rule-choices.js';
import { Origins, Run, type ChoiceNames, type Point, type RunSettings, type Watch } from './run.js';
import { modesOf, type Mode } from './modes.js';
import { backPath, extraChains, isRerouting, rerouting, stagesOf, translates, type NatMode, type Path, type Routing, type Stage } from './stages.js';
import type { Write } from './values.js';

/**
 * What comes after a packet: `reply`, the other side's answer; `anyone`, an answer from any address (to a broadcast, say);
 * `error`, an ICMP error about the packet from anywhere; `again`, another packet in the same direction once an answer was seen;
 * `error-again`, an ICMP error about an answer.
 */
export type Back = 'reply' | 'anyone' | 'error' | 'again' | 'error-again';

/** The path on which it comes. */
export function pathOf(back: Back, path: Path): Path {
  return isForward(back) ? path : backPath[path];
}

function isForward(back: Back): boolean {
  return back === 'again' || back === 'error-again';
}

/** The ways of one rule set's packets, and the inputs that decide them. */
export interface Pipeline {
  readonly chains: Chains;
  readonly routed: boolean;
  readonly choices: ChoiceNames;
  readonly freeInputs: ReadonlyMap<Write, number>;
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
  readonly last: Int32Array;
  readonly forth: Readonly<Record<Path, readonly Stage[]>>;
  /** The same stages, as they are for packets that nat treats in another way. */
  readonly unusual: Readonly<Record<Exclude<NatMode, 'usual'>, Readonly<Record<Path, readonly Stage[]>>>>;
  readonly back: Readonly<Record<Path, readonly Stage[]>>;
}

export function makePipeline(chains: Chains, routing: Routing | undefined): Pipeline {
  const freeInputs = new Map<Write, number>();
  const last = [...chains.dimensions.last.subarray(0, chains.fieldCount)];
  for (const writes of [...chains.writers.values(), ...chains.list.flatMap(chain => chain.table === '' ? chain.writes : [])]) {
    for (const write of writes ?? []) {
      if (write.kind !== 'free' || freeInputs.has(write)) continue;
      freeInputs.set(write, last.length);
      last.push(write.high - write.low);
    }
  }
  const backInputs = last.length;
  last.push(...chains.dimensions.last.subarray(0, chains.fieldCount));
  const ttl = only(chains.dimensions, 'ttl');
  const ttlInputs = [ttl < 0 ? -1 : last.length, ttl < 0 ? -1 : last.length + 1] as const;
  if (ttl >= 0) last.push(chains.dimensions.last[ttl] ?? 0, chains.dimensions.last[ttl] ?? 0);
  const reroutes = isRerouting(chains);
  const outInputs = [reroutes ? last.length : -1, reroutes ? last.length + 1 : -1] as const;
  const out = chains.dimensions.last[only(chains.dimensions, 'out')] ?? 0;
  if (reroutes) last.push(out, out);
  const [natInput, rawInput] = [last.length, last.length + 1];
  last.push(3, 1);
  const routed = routing !== undefined;
  const each = (isReply: boolean, mode: NatMode = 'usual'): Pipeline['forth'] => ({
    in: stagesOf(chains, 'in', routed, isReply, mode), through: stagesOf(chains, 'through', routed, isReply, mode),
    out: stagesOf(chains, 'out', routed, isReply, mode), loop: stagesOf(chains, 'loop', routed, isReply, mode),
  });
  const forth = each(false);
  const modes = { in: modesOf(chains, 'in', forth.in), through: modesOf(chains, 'through', forth.through), out: modesOf(chains, 'out', forth.out), loop: modesOf(chains, 'loop', forth.loop) };
  return {
    chains, routed, likely: likelyInputs(chains, backInputs), choices: new RuleChoices(chains), freeInputs, backInputs, ttlInputs, outInputs, natInput, rawInput, modes, last: Int32Array.from(last),
    forth, unusual: { again: each(false, 'again'), asked: each(false, 'asked') }, back: each(true),
  };
}

export { extraChains };

function only({ fields }: Dimensions, field: Field): number {
  return fields.get(field)?.[0] ?? -1;
}

/** More classes than this are not gone through for the one that is liked best. */
const likedLimit = 6;

function likelyInputs({ dimensions, fieldCount }: Chains, backInputs: number): [number, readonly number[]][] {
  return Array.from({ length: fieldCount }, (_, d) => likedClasses(dimensions, d).slice(0, likedLimit)).flatMap((liked, d): [number, readonly number[]][] => [[d, liked], [backInputs + d, liked]]);
}

/** All inputs that packets on a path can have: their interfaces are there, and are lo or not. */
export function universe(pipeline: Pipeline, path: Path): readonly Region[] {
  const { chains, outInputs } = pipeline;
  const { dimensions } = chains;
  const input = only(dimensions, 'in');
  const names = dimensions.list[input];
  const lo = names?.kind === 'name' ? names.names.classOf('lo') : 0;
  const end = dimensions.last[input] ?? 0;
  const outside = ([[1, lo - 1], [lo + 1, end]] as const).filter(([from, to]) => from <= to);
  const isSent = path === 'out' || path === 'loop';
  // What is routed anew may have been on its way anywhere.
  const there: readonly (readonly [number, number])[] = isSent && outInputs[0] >= 0 ? [[1, end]] : path === 'loop' ? [[lo, lo]] : outside;
  const nowhere: readonly (readonly [number, number])[] = [[0, 0]];
  const ins = path === 'in' || path === 'through' ? outside : nowhere;
  const outs = path === 'in' ? nowhere : there;
  return ins.flatMap(i => outs.flatMap(o => pipeline.modes[path].map(mode => regionOf(pipeline, i, o, mode)))).flatMap(region => path === 'through' ? withTtl(pipeline, region) : [region]);
}

/** More classes than this, and nothing is said of what the TTL becomes. */
const ttlLimit = 32;

/** The TTL that forwarded packets come with, and the one less that FORWARD sees. Those that would get to 0 are not forwarded. */
function withTtl({ chains, forth, ttlInputs }: Pipeline, region: Region): readonly Region[] {
  const d = only(chains.dimensions, 'ttl');
  const ttl = chains.dimensions.list[d];
  const mayBeWritten = forth.through.some(({ hook, chain }) => hook === 'PREROUTING' && [...chains.below(chain)].some(id => chains.list[id]?.writes.some(some => some?.some(write => write.dimension === d)) === true));
  if (ttl?.kind !== 'range' || mayBeWritten || ttl.starts.length > ttlLimit) return [region];
  return ttl.starts.flatMap((start, i) => {
    const [low, high] = [Math.max(2, Number(start)), Number(ttl.starts[i + 1] ?? 256) - 1];
    if (low > high) return [];
    const own = { lo: region.lo.slice(), hi: region.hi.slice() };
    [own.lo[d], own.hi[d]] = [i, i];
    [own.lo[ttlInputs[0]], own.hi[ttlInputs[0]]] = [classOf(ttl.starts, low - 1), classOf(ttl.starts, high - 1)];
    return [own];
  });
}

function regionOf({ chains: { dimensions, tracking }, last, outInputs, natInput, rawInput }: Pipeline, i: readonly [number, number], o: readonly [number, number], { nat, raw, states }: Mode): Region {
  const region = { lo: new Int32Array(last.length), hi: last.slice() };
  const pin = (input: number, [from, to]: readonly [number, number]): void => {
    if (input >= 0) [region.lo[input], region.hi[input]] = [from, to];
  };
  pin(only(dimensions, 'in'), i);
  pin(only(dimensions, 'out'), o);
  for (const input of outInputs) pin(input, [1, last[input] ?? 1]);
  pin(natInput, [nat, nat]);
  pin(rawInput, [raw, raw]);
  pin(only(dimensions, 'ctstate'), states);
  // IPv6 lets pass what it cannot put together.
  if (tracking.fragments && dimensions.family === 'ipv4') pin(only(dimensions, 'fragment'), [0, 0]);
  return region;
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
}

/** By `Mode.nat`. Where REJECT sends a packet of a connection that was dropped, only its source is still to be decided. */
function stagesIn({ forth, unusual }: Pipeline, path: Path, mode: number): readonly Stage[] {
  if (mode === 0) return forth[path];
  if (mode < 3) return (mode === 1 ? unusual.again : unusual.asked)[path];
  return forth[path].map((stage, i) => stage.table === 'nat' && translates(stage.hook)[0] === 'src' ? unusual.asked[path][i] ?? stage : stage);
}

/** Follows a packet along a path, and with `back` what comes back to it. */
export function follow(pipeline: Pipeline, path: Path, point: Point, { watch, back, only: there }: Following = {}): Trip {
  const { chains, choices, freeInputs } = pipeline;
  const settings: RunSettings = { chains, choices, freeInputs, stateDimension: only(chains.dimensions, 'ctstate'), watch, only: there };
  const run = new Run(settings, point);
  const mode = point.inputs[pipeline.natInput];
  pass(pipeline, run, stagesIn(pipeline, path, mode ?? 0), path, false);
  const leaving = run.origins.copy();
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
  const [input, output] = [only(dimensions, 'in'), only(dimensions, 'out')];
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
      if (!hasIn.has(stage.hook)) origins.setClass(input, 0);
      else if (path === 'loop') origins.take(input, sent, output);
      else origins.take(input, start, input);
      if (hasOut.has(place) || place === 'routing') origins.take(output, place === 'OUTPUT' ? start : sent, output);
      else origins.setClass(output, 0);
      if (place === 'FORWARD' && ttlInputs[0] >= 0) origins.setInput(only(dimensions, 'ttl'), ttlInputs[isReply ? 1 : 0]);
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
  const output = only(dimensions, 'out');
  const looked = routed.flatMap(field => dimensions.fields.get(field) ?? []);
  const isWritten = looked.some(d => before.input[d] !== run.origins.input[d] || before.offset[d] !== run.origins.offset[d]);
  if (isWritten && outInputs[0] >= 0) sent.setInput(output, outInputs[isReply ? 1 : 0]);
  // Any other packet of which this is to be said must have been written to alike.
  sent.stages[output] = (sent.stages[output] ?? 0) | (1 << (run.stages.length - 1));
  sent.by[output] = (sent.by[output] ?? 0) | (does & bits);
  for (const d of looked) {
    sent.stages[output] = (sent.stages[output] ?? 0) | (before.stages[d] ?? 0);
    sent.by[output] = (sent.by[output] ?? 0) | (before.by[d] ?? 0);
  }
}

/**
 * In raw no connection is known yet, so that every packet looks INVALID; what it sets is what counts then. `isBack`: lo gives the
 * packet back, which is known by then, and what has a state keeps it.
 */
function runRaw({ chains, rawInput }: Pipeline, run: Run, stage: Stage, isReply: boolean, isBack: boolean): void {
  const state = only(chains.dimensions, 'ctstate');
  const before = run.origins;
  const isSeen = isBack || (run.point.inputs[rawInput] === 1 && !isReply);
  run.origins = before.copy();
  if (!isSeen) run.origins.setClass(state, ctstates.INVALID);
  run.refresh();
  const was = run.now[state];
  run.stage(stage, isReply);
  if (isSeen ? was === ctstates.INVALID : run.now[state] === ctstates.UNTRACKED) return;
  const { stages, by } = run.origins;
  const [seen, did] = [stages[state] ?? 0, by[state] ?? 0];
  run.origins = run.origins.copy();
  run.origins.take(state, before, state);
  run.origins.stages[state] = (run.origins.stages[state] ?? 0) | seen;
  run.origins.by[state] = (run.origins.by[state] ?? 0) | did;
  run.refresh();
}

const fields: Readonly<Partial<Record<Field, Field>>> = { src: 'dst', dst: 'src', sport: 'dport', dport: 'sport', in: 'out', out: 'in' };
const shared: readonly Field[] = ['connmark', 'protocol'];

/** The answer's fields, from those of the packet as it left. */
function turn({ chains, backInputs }: Pipeline, run: Run, path: Path, back: Back): void {
  const { dimensions, fieldCount } = chains;
  const gone = run.origins;
  const before = Origins.identity(fieldCount);
  const origins = run.origins = gone.copy();
  for (let d = 0; d < fieldCount; d++) {
    const one = dimensions.list[d];
    if (one === undefined || one.kind === 'atom') continue;
    const twin = fields[one.field];
    const from = twin === undefined ? undefined : dimensions.fields.get(twin)?.[dimensions.fields.get(one.field)?.indexOf(d) ?? 0];
    if (from !== undefined && isForward(back)) origins.take(d, before, d);
    else if (from !== undefined) origins.take(d, gone, from);
    else if (!shared.includes(one.field)) free(origins, d, backInputs);
  }
  if (!isForward(back)) turnInterfaces(origins, path, dimensions);
  turnState(run, gone, dimensions, backInputs);
  if (back === 'anyone') for (const d of dimensions.fields.get('src') ?? []) free(origins, d, backInputs);
  if (back === 'error' || back === 'error-again') makeError(origins, dimensions, backInputs);
  run.refresh();
}

function free(origins: Run['origins'], d: number, backInputs: number): void {
  origins.setInput(d, backInputs + d);
  origins.stages[d] = 0;
  origins.by[d] = 0;
}

/** The answer comes in where the packet went out, and the other way round; what was local stays so. */
function turnInterfaces(origins: Run['origins'], path: Path, dimensions: Dimensions): void {
  const [input, output] = [only(dimensions, 'in'), only(dimensions, 'out')];
  const plain = (d: number, from: number): void => {
    origins.setInput(d, from);
    origins.stages[d] = 0;
    origins.by[d] = 0;
  };
  if (path === 'through') {
    plain(input, output);
    plain(output, input);
  } else if (path === 'in') {
    origins.setClass(input, 0);
    plain(output, input);
  } else if (path === 'out') {
    plain(input, output);
    origins.setClass(output, 0);
  } else {
    origins.setClass(input, 0);
    plain(output, output);
  }
}

/** Answers to what was tracked are ESTABLISHED; of others nobody knows. */
function turnState(run: Run, gone: Run['origins'], dimensions: Dimensions, backInputs: number): void {
  const state = only(dimensions, 'ctstate');
  const { origins } = run;
  const [stages, by] = [gone.stages[state] ?? 0, gone.by[state] ?? 0];
  if (run.now[state] === ctstates.UNTRACKED) origins.setInput(state, backInputs + state);
  else origins.setClass(state, ctstates.ESTABLISHED);
  origins.stages[state] = stages;
  origins.by[state] = by;
}

/** An ICMP error about the packet: from anybody, to its sender, RELATED to its connection. */
function makeError(origins: Run['origins'], dimensions: Dimensions, backInputs: number): void {
  const isV4 = dimensions.family === 'ipv4';
  for (const field of ['src', 'sport', 'dport'] as const) for (const d of dimensions.fields.get(field) ?? []) free(origins, d, backInputs);
  const set = (field: Field, value: number): void => {
    for (const d of dimensions.fields.get(field) ?? []) {
      const one = dimensions.list[d];
      if (one?.kind === 'range') origins.setClass(d, classOf(one.starts, value));
    }
  };
  set('protocol', isV4 ? protocolNumber.icmp : protocolNumber.icmpv6);
  const state = only(dimensions, 'ctstate');
  if (origins.input[state] === -1) origins.offset[state] = ctstates.RELATED;
}

/**
 * nat translates packets of a connection as it did its first: answers get the addresses that their receiver knows (`translated` is
 * absent), later packets what the first one got.
 */
function translateAlike(chains: Chains, run: Run, stage: Stage, translated: Run['origins'] | undefined, tracked: boolean): void {
  const { dimensions } = chains;
  const state = only(dimensions, 'ctstate');
  const { origins } = run;
  const [stages, by] = [origins.stages[state] ?? 0, origins.by[state] ?? 0];
  const isTracked = run.now[state] !== ctstates.UNTRACKED && tracked;
  const next = run.origins = origins.copy();
  for (const field of translates(stage.hook)) {
    const others = dimensions.fields.get(fields[field] ?? field) ?? [];
    (dimensions.fields.get(field) ?? []).forEach((d, i) => {
      if (isTracked && translated !== undefined) next.take(d, translated, d);
      else if (isTracked) {
        next.setInput(d, others[i] ?? 0);
        next.stages[d] = 0;
        next.by[d] = 0;
      }
      next.stages[d] = (next.stages[d] ?? 0) | stages;
      next.by[d] = (next.by[d] ?? 0) | by;
    });
  }
  run.refresh();
}
