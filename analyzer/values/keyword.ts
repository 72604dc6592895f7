import { refuse, type Value } from './value.js';

/**
 * One word of a fixed list. `words` maps each spelling to what it means; the first spelling
 * of a meaning is the one that is saved.
 */
export function keyword<T extends string | number>(words: Readonly<Record<string, T>>, how: { readonly name: string; readonly ignoreCase?: boolean }): Value<T> {
  const entries = Object.entries(words);
  return {
    syntax: entries.filter(([, value], index) => entries.findIndex(([, other]) => other === value) === index).map(([word]) => word).join('|'),
    words: 1,
    parse: ([word = '']) => {
      const wanted = how.ignoreCase === true ? word.toLowerCase() : word;
      return entries.find(([known]) => known === wanted)?.[1] ?? refuse(`\`${word}\` is not a ${how.name}`);
    },
    print: value => entries.find(([, known]) => known === value)?.[0] ?? String(value),
    arbitrary: fc => fc.tuple(fc.constantFrom(...Object.keys(words)), fc.constantFrom('as is', 'as is', 'upper'))
      .map(([word, form]) => [form === 'upper' && how.ignoreCase === true ? word.toUpperCase() : word]),
  };
}
