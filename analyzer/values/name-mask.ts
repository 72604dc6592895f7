import { parseInteger, scanNumber } from './number.js';
import { Problem, refuse, type Value } from './value.js';

/** (what is looked at & mask) == value, both of 32 bits. */
export interface NameMask {
  readonly value: number;
  readonly mask: number;
}

const all = 0xffff_ffff;

/**
 * `number[/mask]`, or a name from a file of iproute2; `names` is that file as Debian ships it
 * (`xtables_parse_val_mask`, libxtables/xtables.c). A name cannot have a mask.
 */
export function nameMask(what: string, file: string, names: ReadonlyMap<string, number>): Value<NameMask> {
  return {
    syntax: `${what}[/mask]`,
    words: 1,
    parse: ([word = '']) => {
      const scanned = scanNumber(word);
      if (scanned !== undefined && scanned.value <= BigInt(all)) {
        const value = Number(scanned.value);
        if (scanned.rest === '') return { value, mask: all };
        if (scanned.rest.startsWith('/')) {
          const mask = parseInteger(scanned.rest.slice(1), 0, all);
          return mask === undefined ? refuse(`\`${scanned.rest.slice(1)}\` is not a mask of 32 bits`) : { value, mask };
        }
      }
      const known = names.get(word);
      if (known !== undefined) return { value: known, mask: all };
      if (/^[a-z][^\s/#]*$/iu.test(word)) return new Problem('unresolved', `the ${what} name \`${word}\` is looked up in ${file} of the machine itself`);
      return refuse(`\`${word}\` is not a ${what}: neither a number of 32 bits nor a name`);
    },
    print: ({ value, mask }) => {
      if (mask !== all) return `0x${value.toString(16)}/0x${mask.toString(16)}`;
      return [...names].find(([, number]) => number === value)?.[0] ?? `0x${value.toString(16)}`;
    },
    arbitrary: fc => {
      const number = fc.tuple(fc.oneof(fc.integer({ min: 0, max: all }), fc.constantFrom(0, 1, 255, all)), fc.constantFrom(10, 16, 8))
        .map(([value, base]) => base === 16 ? `0x${value.toString(16)}` : base === 8 ? `0${value.toString(8)}` : String(value));
      return fc.oneof(
        { weight: 4, arbitrary: fc.tuple(number, fc.option(number)).map(([value, mask]) => [mask === null ? value : `${value}/${mask}`]) },
        { weight: 1, arbitrary: fc.constantFrom(...names.keys()).map(name => [name]) },
      );
    },
  };
}
