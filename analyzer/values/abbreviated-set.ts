import { refuse, type Value } from './value.js';

/** A set of words, of which each may be cut short anywhere and written in any case; in the order in which they are saved. */
export type WordSet<W extends string> = readonly W[];

/**
 * A comma-separated list of `words`, none empty. `words` are in the order in which an
 * abbreviation is looked for, `saved` in the order in which they are printed; a word that is
 * not in `saved` adds nothing. `empty` is printed where nothing is in the set.
 */
export function abbreviatedSet<W extends string>(words: readonly string[], saved: readonly W[], how: { readonly name: string; readonly empty?: string }): Value<WordSet<W>> {
  return {
    syntax: `${words.join('|')}[,…]`,
    words: 1,
    parse: ([list = '']) => {
      const found = new Set<string>();
      for (const part of list.split(',')) {
        const known = part === '' ? undefined : words.find(word => word.startsWith(part.toUpperCase()));
        if (known === undefined) return refuse(part === '' ? `the list of ${how.name}s has an empty entry` : `\`${part}\` is not a ${how.name}`, `the ${how.name}s are ${words.join(' ')}`);
        found.add(known);
      }
      return saved.filter(word => found.has(word));
    },
    print: set => set.length === 0 ? how.empty ?? '' : set.join(','),
    arbitrary: fc => fc.array(fc.tuple(fc.constantFrom(...words), fc.constantFrom('whole', 'whole', 'lower', 'short', 'first')), { minLength: 1, maxLength: 4 })
      .map(list => [list.map(([word, form]) => form === 'lower' ? word.toLowerCase() : form === 'short' ? word.slice(0, 3) : form === 'first' ? word.slice(0, 1) : word).join(',')]),
  };
}
