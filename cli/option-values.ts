/** Values of options, from the words that were typed; commander says to whom they belong where they cannot be. */
import { InvalidArgumentError } from 'commander';
import type { ShardOption } from './options.js';

/** A whole number. */
export function count(text: string): number {
  if (!/^\d{1,15}$/u.test(text)) throw new InvalidArgumentError('It must be a number.');
  return Number(text);
}

/** 1 to 999. */
export function threads(text: string): number {
  if (!/^[1-9]\d{0,2}$/u.test(text)) throw new InvalidArgumentError('It must be a number from 1 to 999.');
  return Number(text);
}

/** Above 0, to the millisecond. */
export function seconds(text: string): number {
  if (!/^\d{1,6}(?:\.\d{1,3})?$/u.test(text) || Number(text) === 0) throw new InvalidArgumentError('It must be a number of seconds, above 0.');
  return Number(text);
}

/** `2/8`. */
export function shard(text: string): ShardOption {
  const [index = 0, count = 0] = /^\d{1,6}\/\d{1,6}$/u.test(text) ? text.split('/').map(Number) : [];
  if (index < 1 || index > count) throw new InvalidArgumentError('It must be a part of so many, from 1/8 to 8/8.');
  return { index, count };
}

/** In: a time of ISO 8601. Out: seconds since 1970. */
export function moment(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?$/u.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError('It must be a time, as 2026-01-31T23:30Z.');
  return time / 1000;
}

/** Of an option that may be repeated: all its values. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
