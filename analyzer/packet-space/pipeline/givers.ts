/** Rules that may give packets what a rule asks for, found by what they write. */
import type { Cell } from '../product.js';
import type { Chains } from './chains.js';
import type { Write } from './values.js';

interface Giver {
  readonly rule: number;
  readonly writes: readonly Write[];
  /** Its place among all. */
  readonly order: number;
}

/** Those that write one dimension: by the class that they write, and the others. */
interface Written {
  readonly byClass: Map<number, Giver[]>;
  readonly others: Giver[];
}

/** More classes than this are not looked up one by one. */
const classLimit = 64;

const known = new WeakMap<Chains, ReadonlyMap<number, Written>>();

function writtenBy(chains: Chains): ReadonlyMap<number, Written> {
  let found = known.get(chains);
  if (found === undefined) known.set(chains, found = indexOf(chains));
  return found;
}

function indexOf({ writers }: Chains): ReadonlyMap<number, Written> {
  const found = new Map<number, Written>();
  let order = 0;
  for (const [rule, writes] of writers) {
    const giver = { rule, writes, order: order++ };
    for (const write of writes) {
      const written = found.get(write.dimension) ?? { byClass: new Map<number, Giver[]>(), others: [] };
      found.set(write.dimension, written);
      if (write.kind !== 'class') written.others.push(giver);
      else if (written.byClass.get(write.value)?.push(giver) === undefined) written.byClass.set(write.value, [giver]);
    }
  }
  return found;
}

function* candidates({ byClass, others }: Written, low: number, high: number): Generator<Giver, void> {
  yield* others;
  if (high - low > classLimit) for (const some of byClass.values()) yield* some;
  else for (let value = low; value <= high; value++) yield* byClass.get(value) ?? [];
}

/** The rules whose writes may be what is asked for, as far as it is the same fields; in the order of their numbers. */
export function giversOf(chains: Chains, asked: Cell['sides']): readonly Giver[] {
  const index = writtenBy(chains);
  const found = new Set<Giver>();
  for (const { dimension, low, high } of asked) {
    const written = index.get(dimension);
    if (written === undefined) continue;
    for (const giver of candidates(written, low, high)) if (mayGive(giver.writes, asked)) found.add(giver);
  }
  return [...found].sort((a, b) => a.order - b.order);
}

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
