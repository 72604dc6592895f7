import { prefixMask, printAddress } from './address.js';
import { hostMask } from './host-mask.js';
import { Problem, type Value } from './value.js';

/** How many bits of an address count, as a number or as a mask (`xtopt_parse_plenmask`, libxtables/xtoptions.c). */
export const lengthOfPrefix: Value<number> = {
  syntax: 'length|mask',
  words: 1,
  parse: ([word = ''], cx) => {
    const parsed = hostMask.parse([`${cx.family === 'ipv4' ? '0.0.0.0' : '::'}/${word}`], cx);
    return parsed instanceof Problem ? parsed : parsed.length;
  },
  print: String,
  arbitrary: (fc, { family }) => {
    const bits = family === 'ipv4' ? 32 : 128;
    return fc.tuple(fc.integer({ min: 0, max: bits }), fc.constantFrom('decimal', 'decimal', 'hex', 'mask', 'holes')).map(([length, form]) => {
      switch (form) {
        case 'hex': return [`0x${length.toString(16)}`];
        case 'mask': return [printAddress(prefixMask(length, family))];
        case 'holes': return [family === 'ipv4' ? '255.0.255.0' : 'ffff::ff'];
        case 'decimal': return [String(length)];
      }
    });
  },
};
