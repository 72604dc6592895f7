import { refuse, type Value } from './value.js';

const words = ['srcip', 'srcport', 'dstip', 'dstport'] as const;

/** By what packets are told apart: a list with commas or bars, in which empty entries do not count. */
export const hashMode: Value<readonly string[]> = {
  syntax: 'srcip|srcport|dstip|dstport[,…]',
  words: 1,
  parse: ([list = '']) => {
    const parts = list.split(/[,|]/u).filter(part => part !== '');
    const wrong = parts.find(part => !words.some(word => word === part));
    return wrong === undefined ? words.filter(word => parts.includes(word)) : refuse(`\`${wrong}\` is none of ${words.join(', ')}`);
  },
  print: list => list.join(','),
  arbitrary: fc => fc.tuple(fc.array(fc.constantFrom(...words), { maxLength: 4 }), fc.constantFrom(',', '|', ',,')).map(([list, comma]) => [list.join(comma)]),
};
