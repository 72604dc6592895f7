import type { Value } from './value.js';

/** A value that may be left out; `absent` stands for it then. */
export function orNothing<T>(value: Value<T>, absent: T): Value<T> {
  return {
    ...value,
    syntax: `[${value.syntax}]`,
    words: 0,
    optional: 1,
    parse: (words, cx) => words.length === 0 ? absent : value.parse(words, cx),
  };
}
