import { scanNumber } from './number.js';
import { refuse, type Value } from './value.js';

/** A mark and the bits of it that count, both unsigned numbers of 32 bits. */
export interface MarkMask {
  readonly mark: number;
  readonly mask: number;
}

const all = 0xffff_ffff;

/** A number at the start of `text` and what follows it; undefined where it is not of 32 bits. */
function scanMark(text: string): { readonly value: number; readonly rest: string } | undefined {
  const scanned = scanNumber(text);
  return scanned === undefined || scanned.value > BigInt(all) ? undefined : { value: Number(scanned.value), rest: scanned.rest };
}

export function hexadecimal(value: number): string {
  return `0x${value.toString(16)}`;
}

/** `value[/mask]`, without a mask all bits (`xtables_parse_val_mask`, libxtables/xtables.c). */
export const markMask: Value<MarkMask> = {
  syntax: 'value[/mask]',
  words: 1,
  parse: ([word = '']) => {
    const mark = scanMark(word);
    if (mark?.rest === '') return { mark: mark.value, mask: all };
    const mask = mark?.rest.startsWith('/') === true ? scanMark(mark.rest.slice(1)) : undefined;
    if (mark === undefined || mask?.rest !== '') return refuse(`\`${word}\` is not a mark: a number of 32 bits, and perhaps a slash and a mask of 32 bits`);
    return { mark: mark.value, mask: mask.value };
  },
  print: ({ mark, mask }) => mask === all ? hexadecimal(mark) : `${hexadecimal(mark)}/${hexadecimal(mask)}`,
  arbitrary: fc => {
    const number = fc.tuple(fc.oneof(fc.constantFrom(0, 1, 0xff, 0xffff_0000, all), fc.integer({ min: 0, max: all })), fc.constantFrom('hex', 'HEX', 'decimal', 'octal'))
      .map(([value, form]) => form === 'decimal' ? String(value) : form === 'octal' ? `0${value.toString(8)}` : form === 'HEX' ? `0X${value.toString(16).toUpperCase()}` : hexadecimal(value));
    return fc.tuple(number, fc.option(number)).map(([mark, mask]) => [mask === null ? mark : `${mark}/${mask}`]);
  },
};
