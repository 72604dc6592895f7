/** Regions of packets on a path, joined where they differ in one field only, and put into words. */
import type { Dimensions } from '../../dimensions.js';
import { less, merge as joinIntervals, type Intervals } from '../../intervals.js';
import type { PartClaim } from '../claim.js';
import type { Classes, PartHole } from '../part.js';
import type { Pipeline, Trip } from '../passes.js';
import type { Frame } from '../run.js';
import type { Space } from '../difference/rest.js';
import { measure, words, type Sides } from './words.js';

/** Packets by their inputs: those in all sides, less those in a hole. Inputs without a side can be anything that the path allows. */
export interface Box {
  readonly sides: Sides;
  readonly choices: ReadonlyMap<number, number>;
  readonly holes: readonly PartHole[];
}

/** A box in words. */
export interface ReadableBox {
  /** `src 10.0.0.0/8`, `dport 22,80:90`, …: all of them hold. */
  readonly fields: readonly string[];
  /** What is left out: of each, all of its words hold. */
  readonly except: readonly (readonly string[])[];
  /** What hangs on something unknown, and how it must turn out. */
  readonly given: readonly string[];
}

/** A claim as a box of a path's packets; holes that it does not touch are left out. */
export function boxOf(space: Space, claim: PartClaim): Box {
  const sides = new Map<number, Intervals>();
  for (let i = 0; i < claim.lo.length; i++) {
    const set = sideOf(space, i, claim.lo[i] ?? 0, claim.hi[i] ?? 0);
    if (set !== undefined) sides.set(i, set);
  }
  const isNear = ({ sides: own, choices }: PartHole): boolean => own.every(([input, low, high]) => low <= (claim.hi[input] ?? 0) && high >= (claim.lo[input] ?? 0))
    && choices.every(([choice, value]) => (claim.choices.get(choice) ?? value) === value);
  return { sides, choices: claim.choices, holes: claim.holes.filter(isNear) };
}

/** An interval without what no packet of the path has; undefined where that leaves all of them. */
function sideOf({ hull, without }: Space, input: number, low: number, high: number): Intervals | undefined {
  const not = without.find(([one]) => one === input)?.[1];
  const cut = (from: number, to: number): number[] => {
    if (not === undefined || not < from || not > to) return from <= to ? [from, to] : [];
    return [...not > from ? [from, not - 1] : [], ...not < to ? [not + 1, to] : []];
  };
  const [own, all] = [cut(low, high), cut(hull.lo[input] ?? 0, hull.hi[input] ?? 0)];
  return own.length === all.length && own.every((value, i) => value === all[i]) ? undefined : own;
}

/** Whether a packet is in a box. */
export function isIn({ sides, choices, holes }: Box, inputs: Classes, made: ReadonlyMap<number, number>): boolean {
  const within = ([input, low, high]: readonly [number, number, number]): boolean => low <= (inputs[input] ?? 0) && (inputs[input] ?? 0) <= high;
  const chosen = ([choice, value]: readonly [number, number]): boolean => (made.get(choice) ?? 0) === value;
  for (const [input, set] of sides) if (!set.some((low, i) => i % 2 === 0 && within([input, low, set[i + 1] ?? 0]))) return false;
  return [...choices].every(chosen) && !holes.some(hole => hole.sides.every(within) && hole.choices.every(chosen));
}

/** How many packets a box holds, holes not counted, as a power of two. */
export function sizeOf(dimensions: Dimensions, space: Space, box: Box): number {
  let sum = -8 * box.choices.size;
  for (let d = 0; d < dimensions.list.length; d++) {
    const side = box.sides.get(d);
    if (dimensions.list[d]?.kind === 'atom') continue;
    const set = side ?? [space.hull.lo[d] ?? 0, space.hull.hi[d] ?? 0];
    let count = 0;
    for (let i = 0; i < set.length; i += 2) count += 2 ** measure(dimensions, d, set[i] ?? 0, set[i + 1] ?? 0);
    sum += Math.log2(count);
  }
  return sum;
}

/** Joins boxes that differ in one side only, until there are none. The boxes of `items` must be about the same thing. */
export function joined<T extends { readonly box: Box }>(items: readonly T[], isLike: (a: T, b: T) => boolean): T[] {
  const out = [...items];
  for (let again = true; again;) {
    again = false;
    for (let i = 0; i < out.length; i++) for (let j = out.length - 1; j > i; j--) {
      const [a, b] = [out[i], out[j]];
      const box = a === undefined || b === undefined || !isLike(a, b) ? undefined : joinTwo(a.box, b.box);
      if (a === undefined || box === undefined) continue;
      out[i] = { ...a, box };
      out.splice(j, 1);
      again = true;
    }
  }
  return out;
}

function holesKey(holes: readonly PartHole[]): string {
  return holes.map(({ sides, choices }) => JSON.stringify([[...sides].sort((a, b) => a[0] - b[0]), choices])).sort().join(' ');
}

/** Two boxes as one, where they differ in one side at most. */
export function joinTwo(a: Box, b: Box): Box | undefined {
  if (a.choices.size !== b.choices.size || a.holes.length !== b.holes.length || Math.abs(a.sides.size - b.sides.size) > 1) return undefined;
  let other = -1;
  for (const input of new Set([...a.sides.keys(), ...b.sides.keys()])) {
    const [left, right] = [a.sides.get(input), b.sides.get(input)];
    if (left?.join() === right?.join()) continue;
    if (other >= 0) return undefined;
    other = input;
  }
  if (JSON.stringify([...a.choices].sort()) !== JSON.stringify([...b.choices].sort()) || holesKey(a.holes) !== holesKey(b.holes)) return undefined;
  const sides = new Map(a.sides);
  const [left, right] = [a.sides.get(other), b.sides.get(other)];
  if (left === undefined || right === undefined) sides.delete(other);
  else sides.set(other, joinIntervals(pairs(left).concat(pairs(right))));
  return { ...a, sides };
}

function pairs(set: Intervals): [number, number][] {
  return Array.from({ length: set.length / 2 }, (_, i) => [set[2 * i] ?? 0, set[2 * i + 1] ?? 0]);
}

/** A box in words; `trips` are packets of it, each with the pipeline that it went through. */
export function readable(dimensions: Dimensions, space: Space, box: Box, trips: readonly (readonly [Pipeline, Trip])[]): ReadableBox {
  const names = new Map<number, string>();
  for (const [pipeline, trip] of trips) nameChoices(pipeline, trip, names);
  const chosen = ([choice, value]: readonly [number, number]): string => `${names.get(choice) ?? 'something unknown'}: ${value === 1 ? 'yes' : 'no'}`;
  const states = dimensions.list.findIndex(one => one.kind === 'range' && one.field === 'ctstate');
  const sides = new Map(box.sides);
  const except = box.holes.flatMap(({ sides: cut, choices }) => {
    const own = new Map(cut.flatMap(([input, low, high]): [number, Intervals][] => {
      const set = sideOf(space, input, Math.max(low, 0), Math.min(high, space.hull.hi[input] ?? high));
      return set === undefined ? [] : [[input, set]];
    }));
    const gone = own.size === 1 && choices.length === 0 ? own.get(states) : undefined;
    if (gone === undefined) return [[...words(dimensions, own), ...choices.map(chosen)]];
    // Of states the others are named: that is shorter, and how rules say it.
    sides.set(states, less(sides.get(states) ?? [space.hull.lo[states] ?? 0, space.hull.hi[states] ?? 0], gone));
    return [];
  });
  return { fields: words(dimensions, sides), except: [...new Map(except.map(one => [one.join(), one])).values()], given: [...box.choices].map(chosen) };
}

const epochs = 32;

/** What the choices are about that can be made on a trip. */
function nameChoices(pipeline: Pipeline, { run }: Trip, names: Map<number, string>): void {
  const { choices, chains } = pipeline;
  for (const [name, d] of chains.dimensions.atoms) for (let epoch = 0; epoch < epochs; epoch++) names.set(choices.atom(d, epoch, false), name);
  const visit = ({ chain, way, steps }: Frame): void => {
    for (let box = chain.soft.indexOf(1); box >= 0; box = chain.soft.indexOf(1, box + 1)) {
      const at = chains.rules[chain.rule[box] ?? -1];
      names.set(choices.soft(way, chain.firstBox + box), at === undefined ? 'the connection was translated' : `${at.table} ${at.chain} ${String(at.position)} matches`);
    }
    for (const { below } of steps) if (below !== undefined) visit(below);
  };
  for (const { frame } of run.stages) if (frame !== undefined) visit(frame);
}
