import { refuse, type Value } from './value.js';

/** Names of `known`, in small letters and separated by commas, none of them empty; saved in the order of `known`. */
export function nameList(known: readonly string[], what: string): Value<ReadonlySet<string>> {
  return {
    syntax: `${what}[,${what}…]`,
    words: 1,
    parse: ([word = '']) => {
      const names = word.split(',');
      const wrong = names.find(name => !known.includes(name));
      return wrong === undefined ? new Set(names) : refuse(`\`${wrong}\` is not one of the ${what}s`, `they are ${known.join(' ')}`);
    },
    print: names => known.filter(name => names.has(name)).join(','),
    arbitrary: fc => fc.tuple(fc.shuffledSubarray([...known], { minLength: 1 }), fc.boolean())
      .map(([names, again]) => [[...names, ...again ? names.slice(0, 1) : []].join(',')]),
  };
}
