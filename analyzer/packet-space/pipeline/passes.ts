/** A packet on its way, and the answer to it on its way back. */
import { ctstates, type Field } from '../../packet/constraint.js';
import { protocolNumber } from '../../packet/protocols.js';
import { classOf, type Dimensions } from '../dimensions.js';
import type { Region } from '../boxes.js';
import type { Chains } from './chains.js';
import { ChoiceNames, Origins, Run, type Point, type RunSettings, type Watch } from './run.js';
import { backPath, extraChains, stagesOf, translates, type Path, type Routing, type Stage } from './stages.js';
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
  /** The last class of each input. */
  readonly last: Int32Array;
  readonly forth: Readonly<Record<Path, readonly Stage[]>>;
  readonly back: Readonly<Record<Path, readonly Stage[]>>;
}

export function makePipeline(chains: Chains, routing: Routing | undefined): Pipeline {
  const freeInputs = new Map<Write, number>();
  const last = [...chains.dimensions.last.subarray(0, chains.fieldCount)];
  for (const writes of [...chains.writers.values(), ...chains.list.flatMap(chain => chain.name.startsWith('translated') ? chain.writes : [])]) {
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
  const routed = routing !== undefined;
  const each = (isReply: boolean): Pipeline['forth'] => ({
    in: stagesOf(chains, 'in', routed, isReply), through: stagesOf(chains, 'through', routed, isReply),
    out: stagesOf(chains, 'out', routed, isReply), loop: stagesOf(chains, 'loop', routed, isReply),
  });
  return { chains, routed, choices: new ChoiceNames(), freeInputs, backInputs, ttlInputs, last: Int32Array.from(last), forth: each(false), back: each(true) };
}

export { extraChains };

function only({ fields }: Dimensions, field: Field): number {
  return fields.get(field)?.[0] ?? -1;
}

/** All inputs that packets on a path can have: their interfaces are there, and are lo or not. */
export function universe({ chains, last }: Pipeline, path: Path): readonly Region[] {
  const { dimensions } = chains;
  const whole: Region = { lo: new Int32Array(last.length), hi: last.slice() };
  const [input, output] = [only(dimensions, 'in'), only(dimensions, 'out')];
  const names = dimensions.list[input];
  const lo = names?.kind === 'name' ? names.names.classOf('lo') : 0;
  const end = dimensions.last[input] ?? 0;
  const outside = ([[1, lo - 1], [lo + 1, end]] as const).filter(([from, to]) => from <= to);
  const there: readonly (readonly [number, number])[] = path === 'loop' ? [[lo, lo]] : outside;
  const nowhere: readonly (readonly [number, number])[] = [[0, 0]];
  const ins = path === 'in' || path === 'through' ? there : nowhere;
  const outs = path === 'in' ? nowhere : there;
  return ins.flatMap(i => outs.map(o => {
    const region = { lo: whole.lo.slice(), hi: whole.hi.slice() };
    [region.lo[input], region.hi[input]] = i;
    [region.lo[output], region.hi[output]] = o;
    return region;
  }));
}

/** A packet, and maybe what comes back, as it was followed. */
export interface Trip {
  readonly run: Run;
  readonly path: Path;
  /** Stages before this one are of the packet, the others of the answer. */
  readonly backFrom: number;
  readonly dropped: boolean;
  readonly backDropped: boolean;
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

/** Follows a packet along a path, and with `back` what comes back to it. */
export function follow(pipeline: Pipeline, path: Path, point: Point, { watch, back, only: there }: Following = {}): Trip {
  const { chains, choices, freeInputs } = pipeline;
  const settings: RunSettings = { chains, choices, freeInputs, stateDimension: only(chains.dimensions, 'ctstate'), watch, only: there };
  const run = new Run(settings, point);
  pass(pipeline, run, pipeline.forth[path], path, false);
  const leaving = run.origins.copy();
  const state = run.now[settings.stateDimension] ?? 0;
  const backFrom = run.stages.length;
  if (back !== undefined) {
    turn(pipeline, run, path, back);
    const next = pathOf(back, path);
    pass(pipeline, run, pipeline.back[next], next, true, isForward(back) ? leaving : undefined, state !== ctstates.UNTRACKED && state !== ctstates.INVALID);
  }
  return { run, path, backFrom, leaving, state, dropped: run.drops.some(at => at < backFrom), backDropped: run.drops.some(at => at >= backFrom) };
}

const hasIn = new Set(['PREROUTING', 'INPUT', 'FORWARD']);
const hasOut = new Set(['FORWARD', 'OUTPUT', 'POSTROUTING']);

function pass({ chains, ttlInputs }: Pipeline, run: Run, stages: readonly Stage[], path: Path, isReply: boolean, translated?: Run['origins'], isKnown = false): void {
  const { dimensions } = chains;
  const [input, output, state] = [only(dimensions, 'in'), only(dimensions, 'out'), only(dimensions, 'ctstate')];
  const start = run.origins;
  let tracked = false;
  let forwarded = false;
  for (const stage of stages) {
    const origins = run.origins = run.origins.copy();
    // A packet that lo gives back was sent out of lo.
    if (hasIn.has(stage.hook)) origins.take(input, start, path === 'loop' ? output : input);
    else origins.setClass(input, 0);
    if (hasOut.has(stage.hook) || stage.table === 'routing') origins.take(output, start, output);
    else origins.setClass(output, 0);
    if (stage.hook === 'FORWARD' && ttlInputs[0] >= 0 && !forwarded) origins.setInput(only(dimensions, 'ttl'), ttlInputs[isReply ? 1 : 0]);
    forwarded ||= stage.hook === 'FORWARD';
    run.refresh();
    if (stage.table === 'raw' && !tracked) hideState(run, stage, isReply, state);
    else {
      run.stage(stage, isReply);
      if (isReply && stage.table === 'nat') translateAlike(chains, run, stage, translated, isKnown);
    }
    tracked ||= stage.table !== 'raw';
  }
}

/** In raw no connection is known yet, so that every packet looks INVALID; what it sets is what counts then. */
function hideState(run: Run, stage: Stage, isReply: boolean, state: number): void {
  const before = run.origins;
  run.origins = before.copy();
  run.origins.setClass(state, ctstates.INVALID);
  run.refresh();
  run.stage(stage, isReply);
  if (run.now[state] === ctstates.UNTRACKED) return;
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
