import { scanNumber } from './number.js';
import { refuse, type Value } from './value.js';

/** Bits of the traffic class byte; the value may have bits that the mask lacks. */
export interface TosMask {
  readonly value: number;
  readonly mask: number;
}

const symbols: ReadonlyMap<string, number> = new Map([
  ['minimize-delay', 0x10], ['maximize-throughput', 0x08], ['maximize-reliability', 0x04], ['minimize-cost', 0x02], ['normal-service', 0x00],
]);

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`;

/** `value[/mask]` in any base, mask 0xff where there is none, or one of the old names with mask 0x3f (`xtopt_parse_tosmask`). */
export const tosMask: Value<TosMask> = {
  syntax: 'value[/mask] or name',
  words: 1,
  parse: ([word = '']) => {
    const named = symbols.get(word.toLowerCase());
    if (named !== undefined) return { value: named, mask: 0x3f };
    const value = scanNumber(word);
    if (value === undefined || value.value > 255n) return refuse(`\`${word}\` is neither a number of 0 to 255 nor one of ${[...symbols.keys()].join(' ')}`);
    if (value.rest === '') return { value: Number(value.value), mask: 255 };
    const mask = value.rest.startsWith('/') ? scanNumber(value.rest.slice(1)) : undefined;
    if (mask?.rest !== '' || mask.value > 255n) return refuse(`\`${value.rest}\` is not \`/\` and a mask of 0 to 255`);
    return { value: Number(value.value), mask: Number(mask.value) };
  },
  print: ({ value, mask }) => `${hex(value)}/${hex(mask)}`,
  arbitrary: fc => {
    const byte = fc.oneof(fc.constantFrom(0, 0x10, 0x3f, 0xff), fc.integer({ min: 0, max: 255 }));
    const number = fc.tuple(byte, fc.constantFrom(String, hex, (n: number) => `0${n.toString(8)}`)).map(([n, write]) => write(n));
    return fc.oneof(
      number,
      fc.tuple(number, number).map(([value, mask]) => `${value}/${mask}`),
      fc.constantFrom(...symbols.keys(), 'Minimize-Delay', 'NORMAL-SERVICE'),
    ).map(word => [word]);
  },
};
