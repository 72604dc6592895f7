/** What constraints ask of one field, as ranges. */
import { mentions, type Constraint, type Field, type Range } from '../../packet/constraint.js';
import { conjuncts } from './conjuncts.js';

/**
 * The values of a field that a constraint allows, where it says so by itself; undefined where it allows any, or says it in
 * another way (negated, or as one of several things). All packets that meet the constraint are in them.
 */
export function rangesOf(constraint: Constraint, field: Field): readonly Range[] | undefined {
  switch (constraint.kind) {
    case 'within': return constraint.field === field ? constraint.ranges : undefined;
    case 'all': {
      let found: readonly Range[] | undefined;
      for (const one of constraint.of) found = both(found, rangesOf(one, field));
      return found;
    }
    case 'any': {
      const some = constraint.of.map(one => rangesOf(one, field));
      return some.every(one => one !== undefined) ? some.flat() : undefined;
    }
    default: return undefined;
  }
}

function both(a: readonly Range[] | undefined, b: readonly Range[] | undefined): readonly Range[] | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.flatMap(one => b.flatMap(other => {
    const [low, high] = [one.low > other.low ? one.low : other.low, one.high < other.high ? one.high : other.high];
    return low > high ? [] : [{ low, high }];
  }));
}

/** Whether some value is in both; undefined is any value. */
export function meet(a: readonly Range[] | undefined, b: readonly Range[] | undefined): boolean {
  if (a === undefined || b === undefined) return true;
  for (const one of a) for (const other of b) if (one.low <= other.high && other.low <= one.high) return true;
  return false;
}

/** The values that are in one or the other of `all`, without those that are named twice; undefined is any value. */
export function united(all: readonly (readonly Range[] | undefined)[]): readonly Range[] | undefined {
  if (all.includes(undefined)) return undefined;
  const out: { low: Range['low']; high: Range['high'] }[] = [];
  for (const { low, high } of inOrder(all)) {
    const last = out.at(-1);
    if (last === undefined || low > last.high) out.push({ low, high });
    else if (high > last.high) last.high = high;
  }
  return out;
}

/** Whether a value of `some` is among those that are `united`; undefined is any value. */
export function isAmong(some: readonly Range[], values: readonly Range[] | undefined): boolean {
  return values === undefined || some.some(({ low, high }) => {
    let [from, to] = [0, values.length];
    // The first range that does not end before `low`.
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((values[middle]?.high ?? high) < low) from = middle + 1;
      else to = middle;
    }
    const next = values[from];
    return next !== undefined && next.low <= high;
  });
}

function inOrder(all: readonly (readonly Range[] | undefined)[]): Range[] {
  return all.flatMap(one => one ?? []).sort((a, b) => a.low < b.low ? -1 : a.low > b.low ? 1 : 0);
}

/** Whether all values of `some` are in one or the other of `all`; undefined is any value. */
export function areCovered(some: readonly Range[] | undefined, all: readonly (readonly Range[] | undefined)[]): boolean {
  if (all.includes(undefined)) return true;
  if (some === undefined) return false;
  const ranges = inOrder(all);
  return some.every(({ low, high }) => {
    let next = BigInt(low);
    for (const range of ranges) if (BigInt(range.low) <= next && BigInt(range.high) >= next) next = BigInt(range.high) + 1n;
    return next > BigInt(high);
  });
}

/** All that a constraint asks for at once, but for what hangs on one of the fields. */
export function without(constraint: Constraint, fields: readonly Field[]): readonly Constraint[] {
  const kept: Constraint[] = [];
  for (const one of conjuncts(constraint)) if (!mentions(one, fields)) kept.push(one);
  return kept;
}
