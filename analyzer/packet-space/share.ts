/** How much of all packets a region holds. */
import type { Region } from './boxes.js';
import type { Dimension, Dimensions } from './dimensions.js';

/** From 0 to 1: as if all values of a field were equally frequent; of names and properties, all classes. */
export function shareOf({ list, last }: Dimensions, { lo, hi }: Region): number {
  return list.reduce((share, dimension, d) => (lo[d] === 0 && hi[d] === last[d] ? share : share * partOf(dimension, lo[d] ?? 0, hi[d] ?? 0, last[d] ?? 0)), 1);
}

function partOf(dimension: Dimension, low: number, high: number, last: number): number {
  if (dimension.kind !== 'range') return (high - low + 1) / (last + 1);
  const all = Number(dimension.max) + 1;
  return (Number(dimension.starts[high + 1] ?? all) - Number(dimension.starts[low] ?? 0)) / all;
}
