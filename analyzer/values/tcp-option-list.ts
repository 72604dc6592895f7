import { parseInteger } from './number.js';
import { refuse, type Value } from './value.js';

const names: ReadonlyMap<string, number> = new Map([['mss', 2], ['wscale', 3], ['sack-permitted', 4], ['sack', 5], ['timestamp', 8], ['md5', 19]]);

/** TCP options by name or number (2 to 255), each of them once. Saved as numbers in ascending order. */
export const tcpOptionList: Value<readonly number[]> = {
  syntax: 'option[,option…]',
  words: 1,
  parse: ([word = '']) => {
    const list = new Set<number>();
    for (const part of word.split(',')) {
      const option = names.get(part) ?? parseInteger(part, 0, 255);
      if (option === undefined) return refuse(`\`${part}\` is not a TCP option`, `options are numbers of 2 to 255, or ${[...names.keys()].join(', ')}`);
      if (option < 2) return refuse('the TCP options 0 and 1 cannot be stripped');
      if (list.has(option)) return refuse(`TCP option ${part} is given twice`);
      list.add(option);
    }
    return [...list].sort((a, b) => a - b);
  },
  print: list => list.join(','),
  arbitrary: fc => fc.uniqueArray(fc.oneof(
    fc.constantFrom(...names.entries()),
    fc.tuple(fc.integer({ min: 2, max: 255 }), fc.boolean()).map(([option, hex]): [string, number] => [hex ? `0x${option.toString(16)}` : String(option), option]),
  ), { minLength: 1, maxLength: 5, selector: ([, option]) => option }).map(list => [list.map(([word]) => word).join(',')]),
};
