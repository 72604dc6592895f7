/** What may have become of a field on its way. */
import { dimensionTwin } from './turn.js';
import type { Chains } from './chains.js';
import { Does, writersOf } from './classes.js';
import { merge, type Intervals } from '../intervals.js';

/** Fields that are written to be what a rule says, and nothing else becomes of them. */
const plain = Does.src | Does.dst | Does.sport | Does.dport;

const known = new WeakMap<Chains, Map<number, Intervals | undefined>>();

/**
 * The classes that rules below a base chain may write to a field, or to the field of the other end, whose classes are the same. `by`: what they would
 * have done to write it. Undefined where that is not known.
 */
export function writtenBelow(chains: Chains, base: number, by: number, d: number): Intervals | undefined {
  if ((by & ~plain) !== 0 || ((writersOf(chains.dimensions)[d] ?? 0) & plain) === 0) return undefined;
  let mine = known.get(chains);
  if (mine === undefined) known.set(chains, mine = new Map<number, Intervals | undefined>());
  const key = (base * (plain + 1) + by) * chains.fieldCount + d;
  if (!mine.has(key)) mine.set(key, written(chains, base, by, d));
  return mine.get(key);
}

function written(chains: Chains, base: number, by: number, d: number): Intervals | undefined {
  const { below, list } = chains;
  const writers = writersOf(chains.dimensions);
  const both = [d, dimensionTwin(chains.dimensions, d)];
  const classes: [number, number][] = [];
  for (const id of below(base)) for (const { writes } of list[id]?.writing ?? []) for (const write of writes) {
    if (!both.includes(write.dimension) || ((writers[write.dimension] ?? 0) & by) === 0) continue;
    if (write.kind === 'copy') return undefined;
    classes.push(write.kind === 'class' ? [write.value, write.value] : [write.low, write.high]);
  }
  return merge(classes);
}

/** Whether a set has something in common with low … high. */
export function meets(set: Intervals, low: number, high: number): boolean {
  let [from, to] = [0, set.length / 2];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((set[2 * middle + 1] ?? 0) < low) from = middle + 1;
    else to = middle;
  }
  return 2 * from < set.length && (set[2 * from] ?? 0) <= high;
}
