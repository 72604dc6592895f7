import { refuse, type Value } from './value.js';

/** By number, as in the header; the last stands for it and all above it (RFC 4340, 5.1). */
const names = ['REQUEST', 'RESPONSE', 'DATA', 'ACK', 'DATAACK', 'CLOSEREQ', 'CLOSE', 'RESET', 'SYNC', 'SYNCACK', 'INVALID'] as const;
const invalid = 10;

/** A comma-separated list of packet types, sorted and without doubles. It may be empty. */
export const dccpTypes: Value<readonly number[]> = {
  syntax: 'type[,type…]',
  words: 1,
  parse: ([word = '']) => {
    const types = new Set<number>();
    for (const name of word.split(',')) {
      if (name === '') continue;
      const type = names.findIndex(one => one === name.toUpperCase());
      if (type === -1) return refuse(`\`${name}\` is not a DCCP packet type`, `the types are ${names.join(' ')}`);
      types.add(type);
    }
    return [...types].sort((a, b) => a - b);
  },
  print: types => types.map(type => names[type]).join(','),
  arbitrary: fc => fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.shuffledSubarray([...names], { minLength: 1 }), fc.boolean()).map(([list, lower]) => [lower ? list.join(',').toLowerCase() : list.join(',')]) },
    { weight: 1, arbitrary: fc.constantFrom([''], [','], ['ACK,,ack,']) },
  ),
};

/** The values of the header's field that a list stands for: 0 to 15. */
export function dccpTypeNumbers(types: readonly number[]): readonly number[] {
  return types.flatMap(type => type === invalid ? [10, 11, 12, 13, 14, 15] : [type]);
}
