/** Where to look: the packets of a path that a question is about, and those that may become what a rule asks for. */
import { ctstates, type Constraint } from '../../packet/constraint.js';
import type { Region } from '../boxes.js';
import { cellsOf, productsOf, type Cell } from '../products.js';
import type { Part } from './claim.js';
import { Does, writerOf } from './classes.js';
import { universe, type Pipeline } from './passes.js';
import type { Path } from './stages.js';
import type { Write } from './values.js';

const noChoices: ReadonlyMap<number, number> = new Map();
const cellLimit = 4096;
/** More ways than this to become what a rule asks for, and all packets are looked at. */
const wayLimit = 48;

function meet({ lo, hi }: Region, sides: Cell['sides'], fieldCount: number): Region | undefined {
  const region = { lo: lo.slice(), hi: hi.slice() };
  for (const { dimension, low, high } of sides) {
    if (dimension >= fieldCount) continue;
    region.lo[dimension] = Math.max(region.lo[dimension] ?? 0, low);
    region.hi[dimension] = Math.min(region.hi[dimension] ?? 0, high);
    if ((region.lo[dimension] ?? 0) > (region.hi[dimension] ?? 0)) return undefined;
  }
  return region;
}

function toParts(regions: readonly (Region | undefined)[]): Part[] {
  return regions.flatMap(region => region === undefined ? [] : [{ ...region, choices: noChoices }]);
}

/** The packets of a constraint, on a path. */
export function partsOf(pipeline: Pipeline, path: Path, packets: Constraint): Part[] {
  const { dimensions, fieldCount } = pipeline.chains;
  const cells = cellsOf(productsOf(dimensions, packets), cellLimit);
  return toParts(universe(pipeline, path).flatMap(all => cells.map(({ sides }) => meet(all, sides, fieldCount))));
}

/**
 * All packets of a path, among `within`, that may match a rule at a stage: those that have what it asks for as they come, and for each rule
 * before that writes what it asks for, those of that rule.
 */
export function preimages(pipeline: Pipeline, path: Path, number: number, at: number, within: readonly Part[]): Part[] {
  const { chains } = pipeline;
  const stage = pipeline.forth[path][at];
  if (stage === undefined) return [];
  // What rules of the same table write is met by the rules behind them.
  const written = pipeline.forth[path].slice(0, at + 1).reduce((bits, one) => bits | one.does, 0);
  const cells = chains.cells[number] ?? [];
  const parts: Part[] = [];
  for (const cell of cells) {
    const sides = knowable(pipeline, path, stage.hook, stage.table === 'raw', cell);
    const moved = sides.filter(side => (written & bitOf(pipeline, side.dimension)) !== 0);
    const kept = sides.filter(side => !moved.includes(side));
    parts.push(...narrow(pipeline, within, sides));
    if (moved.length > 0) parts.push(...ways(pipeline, path, at, kept, moved, within));
  }
  return parts;
}

function narrow({ chains }: Pipeline, within: readonly Part[], sides: Cell['sides']): Part[] {
  return toParts(within.map(part => meet(part, sides, chains.fieldCount)));
}

function bitOf({ chains: { dimensions } }: Pipeline, d: number): number {
  const one = dimensions.list[d];
  return one === undefined || one.kind === 'atom' ? 0 : writerOf(one.field);
}

/** What a cell asks of fields that are at the stage what they were when the packet came. */
function knowable({ chains: { dimensions, fieldCount } }: Pipeline, path: Path, hook: string, isRaw: boolean, { sides }: Cell): Cell['sides'] {
  return sides.filter(({ dimension }) => {
    const one = dimensions.list[dimension];
    if (one === undefined || one.kind === 'atom' || dimension >= fieldCount) return false;
    switch (one.field) {
      case 'in': return path !== 'loop' && hook !== 'POSTROUTING' && hook !== 'OUTPUT';
      case 'out': return path !== 'loop' && hook !== 'PREROUTING' && hook !== 'INPUT';
      case 'ctstate': return !isRaw;
      case 'ttl': return path !== 'through' || hook === 'PREROUTING';
      default: return true;
    }
  });
}

/** The packets of rules that write what is asked for. */
function ways(pipeline: Pipeline, path: Path, at: number, kept: Cell['sides'], moved: Cell['sides'], within: readonly Part[]): Part[] {
  const { chains, forth } = pipeline;
  const out: Part[] = [];
  if (forth[path].slice(0, at).some(stage => stage.underWay >= 0) && moved.some(side => (bitOf(pipeline, side.dimension) & (Does.dst | Does.dport | Does.src | Does.sport)) !== 0)) {
    out.push(...narrow(pipeline, within, [...kept, { ...isNew(pipeline), low: ctstates.ESTABLISHED, high: ctstates.RELATED }]));
  }
  let found = 0;
  for (const [rule, writes] of chains.writers) {
    if (!mayGive(writes, moved)) continue;
    for (let t = 0; t <= at; t++) {
      const stage = forth[path][t];
      if (stage === undefined || !chains.below(stage.chain).has(chains.chainOf[rule] ?? -1)) continue;
      if (++found > wayLimit) return narrow(pipeline, within, kept);
      const written = forth[path].slice(0, t).reduce((bits, one) => bits | one.does, 0);
      for (const cell of chains.cells[rule] ?? []) {
        const steady = knowable(pipeline, path, stage.hook, stage.table === 'raw', cell).filter(side => (written & bitOf(pipeline, side.dimension)) === 0);
        out.push(...narrow(pipeline, within, [...kept, ...steady, ...stage.byState ? [isNew(pipeline)] : []]));
      }
    }
  }
  return out;
}

/** nat is asked about NEW packets only, and nothing makes a packet NEW. */
function isNew({ chains: { dimensions } }: Pipeline): Cell['sides'][number] {
  return { dimension: dimensions.fields.get('ctstate')?.[0] ?? 0, low: ctstates.NEW, high: ctstates.NEW };
}

/** Whether what is written may be what is asked for, as far as it is the same fields. */
function mayGive(writes: readonly Write[], asked: Cell['sides']): boolean {
  let some = false;
  for (const { dimension, low, high } of asked) {
    const write = writes.find(one => one.dimension === dimension);
    if (write === undefined) continue;
    some = true;
    if (write.kind === 'class' ? write.value < low || write.value > high : write.kind === 'free' && (write.low > high || write.high < low)) return false;
  }
  return some;
}
