import type { Value } from './value.js';

/** An option without a value. */
export const flag: Value<true> = {
  syntax: '',
  words: 0,
  parse: () => true,
  print: () => '',
  arbitrary: fc => fc.constant([]),
};
