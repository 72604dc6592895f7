import { refuse, type Value } from './value.js';

const fields = ['ct', 'src', 'dst', 'sport', 'dport', 'proto', 'spi'] as const;
export type HmarkField = typeof fields[number];

/** Fields of a packet, separated by commas; the beginning of a name will do, and the first name that begins so is taken. */
export const hmarkTuple: Value<ReadonlySet<HmarkField>> = {
  syntax: 'src|dst|sport|dport|spi|proto|ct[,…]',
  words: 1,
  parse: ([word = '']) => {
    const found = new Set<HmarkField>();
    for (const part of word.split(',')) {
      const field = part === '' ? undefined : fields.find(name => name.startsWith(part.toLowerCase()));
      if (field === undefined) return refuse(`\`${part}\` is no field of a packet`, `the fields are ${fields.join(' ')}`);
      found.add(field);
    }
    return found;
  },
  print: tuple => [...tuple].join(','),
  arbitrary: fc => fc.array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom<string>(...fields) }, { weight: 1, arbitrary: fc.constantFrom('s', 'D', 'p', 'SP', 'dpo', 'Src', 'c') }), { minLength: 1, maxLength: 4 }).map(list => [list.join(',')]),
};
