/** What rules ask of packets as they come, where they stand: with what the way to them asks, and without what is another thing there. */
import type { Cell } from '../product.js';
import type { Chains } from './chains.js';
import { writersOf } from './classes.js';
import type { Pipeline } from './passes.js';
import type { Path } from './stages.js';

/** What one cell of a rule asks at a stage of a path. */
export interface Ask {
  readonly sides: Cell['sides'];
  /** What of the sides may not be written before. */
  readonly kept: Cell['sides'];
  /** What may. */
  readonly moved: Cell['sides'];
}

interface Asks {
  readonly path: Path;
  readonly number: number;
  readonly at: number;
  readonly asks: readonly Ask[];
}

/** The last that was asked for: many questions about one rule follow each other. */
const lastAsks = new WeakMap<Pipeline, Asks>();

/** As it is for packets as they come: fields that are at the stage what they were. */
export function asksOf(pipeline: Pipeline, path: Path, number: number, at: number): readonly Ask[] {
  let last = lastAsks.get(pipeline);
  if (last?.number !== number || last.at !== at || last.path !== path) lastAsks.set(pipeline, last = { path, number, at, asks: asksAt(pipeline, path, number, at) });
  return last.asks;
}

function asksAt(pipeline: Pipeline, path: Path, number: number, at: number): readonly Ask[] {
  const { chains } = pipeline;
  const stage = pipeline.forth[path][at];
  if (stage === undefined) return [];
  // What rules of the same table write is met by the rules behind them.
  const written = pipeline.forth[path].slice(0, at + 1).reduce((bits, one) => bits | one.does, 0);
  const isMoved = ({ dimension }: Cell['sides'][number]): boolean => (written & bitOf(chains, dimension)) !== 0;
  const entry = entryOf(chains, chains.chainOf[number] ?? -1);
  return chains.cells(number).map(cell => {
    const sides = knowable(pipeline, path, stage.hook, stage.table === 'raw', { soft: cell.soft, sides: [...cell.sides, ...entry] });
    return { sides, kept: sides.filter(side => !isMoved(side)), moved: sides.filter(isMoved) };
  });
}

const entries = new WeakMap<Chains, Map<number, Cell['sides']>>();

/** A box around all packets that jumps can bring into a chain, without the fields that may be written there. */
export function entryOf(chains: Chains, chain: number): Cell['sides'] {
  let known = entries.get(chains);
  if (known === undefined) entries.set(chains, known = new Map<number, Cell['sides']>());
  let sides = known.get(chain);
  if (sides === undefined) {
    const ways = (chains.callers.get(chain) ?? []).flatMap(([caller, rule]) => {
      const above = entryOf(chains, caller);
      return chains.cells(rule).map((cell): Cell => ({ soft: false, sides: [...cell.sides, ...above].filter(side => side.dimension < chains.fieldCount) }));
    });
    const written = writtenBelow(chains, chain);
    known.set(chain, sides = chains.list[chain]?.policy === undefined ? hullSides(ways).filter(({ dimension }) => !written.has(dimension)) : []);
  }
  return sides;
}

function writtenBelow({ list, below }: Chains, chain: number): ReadonlySet<number> {
  const written = new Set<number>();
  for (const id of below(chain)) for (const { writes } of list[id]?.writing ?? []) for (const { dimension } of writes) written.add(dimension);
  return written;
}

/** The box around boxes that may each say something of a dimension more than once. */
function hullSides(cells: readonly Cell[]): Cell['sides'] {
  let hull: Map<number, readonly [number, number]> | undefined;
  for (const { sides } of cells) {
    const own = new Map<number, readonly [number, number]>();
    for (const { dimension, low, high } of sides) own.set(dimension, [Math.max(low, own.get(dimension)?.[0] ?? low), Math.min(high, own.get(dimension)?.[1] ?? high)]);
    if ([...own.values()].some(([low, high]) => low > high)) continue;
    if (hull === undefined) hull = own;
    else for (const [dimension, [low, high]] of hull) {
      const side = own.get(dimension);
      if (side === undefined) hull.delete(dimension);
      else hull.set(dimension, [Math.min(low, side[0]), Math.max(high, side[1])]);
    }
  }
  return [...hull ?? []].map(([dimension, [low, high]]) => ({ dimension, low, high }));
}

/** What a cell asks of fields that are at the stage what they were when the packet came. */
export function knowable(pipeline: Pipeline, path: Path, hook: string, isRaw: boolean, { sides }: Cell): Cell['sides'] {
  const known: Cell['sides'][number][] = [];
  for (const side of sides) if (isKnowable(pipeline, path, hook, isRaw, side.dimension)) known.push(side);
  return known;
}

function isKnowable({ outInputs, chains: { dimensions, fieldCount } }: Pipeline, path: Path, hook: string, isRaw: boolean, dimension: number): boolean {
  const one = dimensions.list[dimension];
  if (one === undefined || one.kind === 'atom' || dimension >= fieldCount) return false;
  switch (one.field) {
    case 'in': return path !== 'loop' && hook !== 'POSTROUTING' && hook !== 'OUTPUT';
    // Behind OUTPUT it may have been routed anew.
    case 'out': return path !== 'loop' && hook !== 'PREROUTING' && hook !== 'INPUT' && (outInputs[0] < 0 || path !== 'out' || hook !== 'POSTROUTING');
    case 'ctstate': return !isRaw;
    case 'ttl': return path !== 'through' || hook === 'PREROUTING';
    default: return true;
  }
}

/** The bit of those who write a dimension. */
export function bitOf({ dimensions }: Chains, d: number): number {
  return writersOf(dimensions)[d] ?? 0;
}
