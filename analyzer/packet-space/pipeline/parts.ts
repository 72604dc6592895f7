/** Where to look: the packets of a path that a question is about, and those that may become what a rule asks for. */
import { ctstates, type Constraint } from '../../packet/constraint.js';
import { merge, overlaps, type Intervals } from '../intervals.js';
import { cellsOf, type Cell } from '../product.js';
import { productsOf } from '../products.js';
import { asksOf, bitOf, entryOf, knowable, type Ask } from './asks.js';
import { Step, type Chains } from './chains.js';
import type { Part, PartBox } from './part.js';
import { Does } from './classes.js';
import { giversOf } from './givers.js';
import type { Pipeline } from './passes.js';
import type { Path } from './stages.js';
import { exchanged } from './turn.js';
import { universe } from './universe.js';

const noChoices: ReadonlyMap<number, number> = new Map();
const cellLimit = 4096;
/** More ways than this to become what a rule asks for, and all packets are looked at. */
const wayLimit = 48;

function meet({ lo, hi }: PartBox, sides: Cell['sides'], fieldCount: number): PartBox | undefined {
  // Most do not meet, and then nothing need be copied.
  for (const { dimension, low, high } of sides) {
    if (dimension < fieldCount && (low > (hi[dimension] ?? 0) || high < (lo[dimension] ?? 0))) return undefined;
  }
  const region = { lo: lo.slice(), hi: hi.slice() };
  for (const { dimension, low, high } of sides) {
    if (dimension >= fieldCount) continue;
    region.lo[dimension] = Math.max(region.lo[dimension] ?? 0, low);
    region.hi[dimension] = Math.min(region.hi[dimension] ?? 0, high);
    if ((region.lo[dimension] ?? 0) > (region.hi[dimension] ?? 0)) return undefined;
  }
  return region;
}

function toParts(regions: readonly (PartBox | undefined)[]): Part[] {
  return regions.flatMap(region => region === undefined ? [] : [{ ...region, choices: noChoices }]);
}

/** By input: the intervals in which parts lie, of those that were asked about. */
const spans = new WeakMap<readonly Part[], Map<number, Intervals>>();

function spanOf(parts: readonly Part[], input: number): Intervals {
  let known = spans.get(parts);
  if (known === undefined) spans.set(parts, known = new Map<number, Intervals>());
  let span = known.get(input);
  if (span === undefined) known.set(input, span = merge(parts.map(({ lo, hi }) => [lo[input] ?? 0, hi[input] ?? 0] as const)));
  return span;
}

/** Whether any of the parts may have what the sides ask for. One look at all of them is mostly enough. */
function mayMeet(parts: readonly Part[], sides: Cell['sides'], fieldCount: number): boolean {
  if (parts.length === 0) return false;
  for (const { dimension, low, high } of sides) if (dimension < fieldCount && !overlaps(spanOf(parts, dimension), low, high)) return false;
  return true;
}

const universes = new WeakMap<Pipeline, Map<Path, readonly Part[]>>();

function everything(pipeline: Pipeline, path: Path): readonly Part[] {
  let known = universes.get(pipeline);
  if (known === undefined) universes.set(pipeline, known = new Map<Path, readonly Part[]>());
  let parts = known.get(path);
  if (parts === undefined) known.set(path, parts = toParts(universe(pipeline, path)));
  return parts;
}

/** The packets of a constraint, on a path. */
export function partsOf(pipeline: Pipeline, path: Path, packets: Constraint): readonly Part[] {
  const all = everything(pipeline, path);
  if (packets.kind === 'always') return all;
  const { dimensions, fieldCount } = pipeline.chains;
  const cells = cellsOf(productsOf(dimensions, packets), cellLimit);
  return toParts(all.flatMap(part => cells.map(({ sides }) => meet(part, sides, fieldCount))));
}

/**
 * All packets of a path, among `within`, that may match a rule at a stage: those that have what it asks for as they come, and for each rule
 * before that writes what it asks for, those of that rule.
 */
export function* preimages(pipeline: Pipeline, path: Path, number: number, at: number, within: readonly Part[]): Generator<Part, void> {
  const { chains: { fieldCount } } = pipeline;
  const asks = asksOf(pipeline, path, number, at);
  // Most rules are matched by packets as they come: these are looked at first, and first those that nat treats as usual.
  const near = asks.filter(({ sides }) => mayMeet(within, sides, fieldCount));
  if (near.length > 0) for (const part of within) for (const { sides } of near) {
    // The first is mostly enough, and the others need not be made.
    const met = meet(part, sides, fieldCount);
    if (met !== undefined) yield { ...met, choices: noChoices };
  }
  for (const ask of asks) {
    if (ask.moved.length === 0 || !mayMeet(within, ask.kept, fieldCount)) continue;
    for (const way of waysOf(pipeline, path, at, ask)) yield* along(pipeline, way, within);
  }
}

/** The same on all stages of a path at which a rule may run. */
export function* allPreimages(pipeline: Pipeline, path: Path, number: number, within: readonly Part[]): Generator<Part, void> {
  const { chains } = pipeline;
  for (const [at, stage] of pipeline.forth[path].entries()) {
    if (chains.below(stage.chain).has(chains.chainOf[number] ?? -1)) yield* preimages(pipeline, path, number, at, within);
  }
}

/** Packets whose answers have what a rule and the way to it ask for, as long as nothing translates them: where to look first for an answer that comes to the rule. */
export function answeredFirst(pipeline: Pipeline, isForward: boolean, number: number, within: readonly Part[]): readonly Part[] {
  const { chains } = pipeline;
  const entry = entryOf(chains, chains.chainOf[number] ?? -1);
  return chains.cells(number).flatMap(cell => narrow(pipeline, within, [...cell.sides, ...entry].flatMap(side => asSent(chains, isForward, side))));
}

/** What is asked of an answer, asked of the packet that it answers; nothing where the two do not share it. */
function asSent({ dimensions: { list, fields } }: Chains, isForward: boolean, side: Cell['sides'][number]): Cell['sides'] {
  const one = list[side.dimension];
  if (one === undefined || one.kind === 'atom' || (one.field !== 'protocol' && exchanged[one.field] === undefined)) return [];
  const other = isForward ? one.field : exchanged[one.field] ?? one.field;
  const dimension = fields.get(other)?.[fields.get(one.field)?.indexOf(side.dimension) ?? 0];
  return dimension === undefined ? [] : [{ ...side, dimension }];
}

function narrow({ chains }: Pipeline, within: readonly Part[], sides: Cell['sides']): Part[] {
  return mayMeet(within, sides, chains.fieldCount) ? toParts(within.map(part => meet(part, sides, chains.fieldCount))) : [];
}

/** What packets are that may become what is asked for. */
interface Way {
  readonly sides: Cell['sides'];
  /** Only those that nat treats as usual, or only the others; undefined: all. */
  readonly isUsual: boolean | undefined;
}

function* along({ chains: { fieldCount }, natInput }: Pipeline, { sides, isUsual }: Way, within: readonly Part[]): Generator<Part, void> {
  if (!mayMeet(within, sides, fieldCount)) return;
  for (const part of within) {
    const met = isUsual === undefined || ((part.lo[natInput] ?? 0) === 0) === isUsual ? meet(part, sides, fieldCount) : undefined;
    if (met !== undefined) yield { ...met, choices: noChoices };
  }
}

/** Many questions about one rule follow each other. */
const knownWays = new WeakMap<Ask, readonly Way[]>();

function waysOf(pipeline: Pipeline, path: Path, at: number, ask: Ask): readonly Way[] {
  let known = knownWays.get(ask);
  if (known === undefined) knownWays.set(ask, known = findWays(pipeline, path, at, ask));
  return known;
}

/** By the rules that write what is asked for. */
function findWays(pipeline: Pipeline, path: Path, at: number, { kept, moved }: Ask): readonly Way[] {
  const { chains, forth } = pipeline;
  // Where nat does not do the usual, anything may have become of a packet.
  const ways: Way[] = [{ sides: kept, isUsual: false }];
  if (forth[path].slice(0, at).some(stage => stage.underWay >= 0) && moved.some(side => (bitOf(chains, side.dimension) & (Does.dst | Does.dport | Does.src | Does.sport)) !== 0)) {
    ways.push({ sides: [...kept, { ...isNew(pipeline), low: ctstates.ESTABLISHED, high: ctstates.RELATED }], isUsual: true });
  }
  let found = 0;
  for (const { rule } of giversOf(chains, moved)) {
    for (let t = 0; t <= at; t++) {
      const stage = forth[path][t];
      if (stage === undefined || !chains.below(stage.chain).has(chains.chainOf[rule] ?? -1)) continue;
      if (++found > wayLimit) return [{ sides: kept, isUsual: undefined }];
      const written = forth[path].slice(0, t).reduce((bits, one) => bits | one.does, passedOnIn(chains, stage.chain));
      for (const cell of chains.cells(rule)) {
        const steady = knowable(pipeline, path, stage.hook, stage.table === 'raw', cell).filter(side => (written & bitOf(chains, side.dimension)) === 0);
        ways.push({ sides: [...kept, ...steady, ...stage.byState ? [isNew(pipeline)] : []], isUsual: true });
      }
    }
  }
  return ways;
}

const passedOn = new WeakMap<Chains, Map<number, number>>();

/** What rules below a chain may write for the rules behind them, as bits: what ends the table, as DNAT does, writes for none. */
function passedOnIn(chains: Chains, chain: number): number {
  let known = passedOn.get(chains);
  if (known === undefined) passedOn.set(chains, known = new Map<number, number>());
  let bits = known.get(chain);
  if (bits === undefined) {
    bits = 0;
    for (const id of chains.below(chain)) for (const { act, writes } of chains.list[id]?.writing ?? []) if (act === Step.Write) for (const { dimension } of writes) bits |= bitOf(chains, dimension);
    known.set(chain, bits);
  }
  return bits;
}

/** nat is asked about NEW packets only, and nothing makes a packet NEW. */
function isNew({ chains: { dimensions } }: Pipeline): Cell['sides'][number] {
  return { dimension: dimensions.fields.get('ctstate')?.[0] ?? 0, low: ctstates.NEW, high: ctstates.NEW };
}
