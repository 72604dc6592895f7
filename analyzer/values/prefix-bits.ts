import { prefixLength, prefixMask, printAddress } from './address.js';
import { parseHost } from './host-address.js';
import { parseInteger } from './number.js';
import { Problem, refuse, type Value } from './value.js';

/**
 * A prefix length, or a mask written as an address (`xtopt_parse_plen`, libxtables/xtoptions.c).
 * A mask whose ones are not all in front is refused, or counts as if it had nothing but ones.
 */
export function prefixBits(scattered: 'refused' | 'all ones'): Value<number> {
  return {
    syntax: 'prefix length',
    words: 1,
    parse: ([word = ''], { family }) => {
      const bits = family === 'ipv4' ? 32 : 128;
      const number = parseInteger(word, 0, bits);
      if (number !== undefined) return number;
      const isNumeric = family === 'ipv6' ? word.includes(':') : /^[\d.xa-f]+$/iu.test(word);
      const mask = isNumeric ? parseHost(word, family) : undefined;
      if (mask === undefined || mask instanceof Problem) return refuse(`\`${word}\` is neither a prefix length (0 to ${String(bits)}) nor a mask`);
      const length = prefixLength(mask);
      if (length !== undefined) return length;
      return scattered === 'all ones' ? bits : refuse(`the ones of the mask \`${word}\` are not all in front`, `write a prefix length of 0 to ${String(bits)}`);
    },
    print: String,
    arbitrary: (fc, { family }) => {
      const bits = family === 'ipv4' ? 32 : 128;
      const odd = family === 'ipv4' ? ['255.0.255.0', '33'] : ['ffff::ff'];
      return fc.tuple(fc.integer({ min: 0, max: bits }), fc.constantFrom('number', 'number', 'hex', 'mask', 'odd'), fc.constantFrom(...odd)).map(([length, form, word]) => {
        if (form === 'odd' && scattered === 'all ones') return [word];
        return [form === 'mask' ? printAddress(prefixMask(length, family)) : form === 'hex' ? `0x${length.toString(16)}` : String(length)];
      });
    },
  };
}
