import { always, atom, never, type Constraint } from '../packet/constraint.js';
import { isFullRange, printRange, type NumberRange } from '../values/number-range.js';
import type { Given } from './define.js';

export const max32 = 0xffff_ffff;

/** Saves a range under `name`. The full range of 0 … `max` is not saved, not even negated. */
export function saveRange(name: string, max: number): (given: Given<NumberRange>) => string {
  return ({ negated, value }) => isFullRange(value, max) ? '' : `${negated ? '! ' : ''}${name} ${printRange(value)}`;
}

/** That a number of a header, which is not modelled further, lies in the range. */
export function inHeaderRange(name: string, range: NumberRange, max: number): Constraint {
  if (range.low > range.high) return never;
  return isFullRange(range, max) ? always : atom(`${name} ${printRange(range)}`);
}
