import { refuse, type Value } from './value.js';

/** Class selectors, best effort, assured forwarding and expedited forwarding (RFC 2474, 2597, 3246). */
const classes: ReadonlyMap<string, number> = new Map<string, number>([
  ...Array.from({ length: 8 }, (_, n) => [`CS${String(n)}`, n << 3] as const),
  ['BE', 0],
  ...[1, 2, 3, 4].flatMap(c => [1, 2, 3].map(drop => [`AF${String(c)}${String(drop)}`, (c << 3) | (drop << 1)] as const)),
  ['EF', 46],
]);

/** `0x2e` */
export function printDscp(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}

/** A class by name, in any case; whatever stands behind the name is not looked at (`class_to_dscp`, dscp_helper.c). */
export const dscpClass: Value<number> = {
  syntax: 'BE, EF, AF11 … AF43 or CS0 … CS7',
  words: 1,
  parse: ([word = '']) => {
    for (const [name, value] of classes) if (word.toUpperCase().startsWith(name)) return value;
    return refuse(`\`${word}\` is not a DiffServ class`);
  },
  print: printDscp,
  arbitrary: fc => fc.tuple(fc.constantFrom(...classes.keys()), fc.constantFrom('', '', '', 'x', '1')).chain(([name, tail]) =>
    fc.constantFrom(`${name}${tail}`, `${name}${tail}`.toLowerCase())).map(word => [word]),
};
