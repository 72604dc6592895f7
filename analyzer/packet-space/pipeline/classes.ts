/** What a rule may do that matters to a question, as bits. */
import type { Field } from '../../packet/constraint.js';
import type { Dimensions } from '../dimensions.js';

export const Does = {
  accept: 1, drop: 2, /** Leaves its chain: RETURN, goto. */ leave: 4,
  mark: 8, connmark: 16, dst: 32, dport: 64, src: 128, sport: 256, state: 512, /** Writes any other field. */ other: 1024,
  /** A drop that tells the sender. */ reject: 2048,
} as const;

/** Every way not to get further. */
export const stops = Does.drop | Does.reject;

/** All that is written. */
export const writes = Does.mark | Does.connmark | Does.dst | Does.dport | Does.src | Does.sport | Does.state | Does.other;
export const anything = 4095;

const ofField: Partial<Record<Field, number>> = { mark: Does.mark, connmark: Does.connmark, dst: Does.dst, dport: Does.dport, src: Does.src, sport: Does.sport, ctstate: Does.state };

const known = new WeakMap<Dimensions, readonly number[]>();

/** The bit of those who write a dimension, by its number; 0 for what nobody writes. */
export function writersOf(dimensions: Dimensions): readonly number[] {
  let writers = known.get(dimensions);
  if (writers === undefined) known.set(dimensions, writers = dimensions.list.map(one => one.kind === 'atom' ? 0 : ofField[one.field] ?? Does.other));
  return writers;
}
