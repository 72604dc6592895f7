import { prefixLength, prefixMask, printAddress } from './address.js';
import { hostMask } from './host-mask.js';
import { parseHost } from './host-address.js';
import { parseInteger } from './number.js';
import { Problem, refuse, type Value } from './value.js';

/** A prefix length, or a mask that has all its ones in front: others pass the parser, and the kernel refuses them. */
export const wholePrefix: Value<number> = {
  syntax: 'length|mask',
  words: 1,
  parse: ([word = ''], cx) => {
    const parsed = hostMask.parse([`${cx.family === 'ipv4' ? '0.0.0.0' : '::'}/${word}`], cx);
    if (parsed instanceof Problem) return parsed;
    if (parseInteger(word, 0, cx.family === 'ipv4' ? 32 : 128) !== undefined) return parsed.length;
    const mask = parseHost(word, cx.family);
    if (mask instanceof Problem || prefixLength(mask) !== undefined) return parsed.length;
    return refuse(`the ones of the mask \`${word}\` are not all in front`);
  },
  print: String,
  arbitrary: (fc, { family }) => {
    const bits = family === 'ipv4' ? 32 : 128;
    return fc.tuple(fc.integer({ min: 0, max: bits }), fc.constantFrom('decimal', 'decimal', 'hex', 'octal', 'mask')).map(([length, form]) => {
      if (form === 'hex') return [`0x${length.toString(16)}`];
      return [form === 'mask' ? printAddress(prefixMask(length, family)) : form === 'octal' ? `0${length.toString(8)}` : String(length)];
    });
  },
};
