import { arbitraryAddress } from './address-mask.js';
import { prefixLength, prefixMask, printAddress, type Address } from './address.js';
import { parseHost } from './host-address.js';
import { parseInteger } from './number.js';
import { Problem, refuse, type Family, type Value } from './value.js';

/** An address as it was given, host bits and all, and its prefix length. */
export interface HostMask {
  readonly address: Address;
  readonly length: number;
}

const bitsOf = (family: Family): number => family === 'ipv4' ? 32 : 128;

function parseLength(word: string, family: Family): number | Problem {
  const bits = bitsOf(family);
  const length = parseInteger(word, 0, bits);
  if (length !== undefined) return length;
  const isNumeric = family === 'ipv4' ? /^\d/u.test(word) : word.includes(':');
  const mask = isNumeric ? parseHost(word, family) : undefined;
  if (mask === undefined || mask instanceof Problem) return refuse(`\`${word}\` is neither a prefix length (0 to ${String(bits)}) nor a mask`);
  // A mask whose ones are not all in front counts as if it had nothing but ones.
  return prefixLength(mask) ?? bits;
}

/** `host[/mask]` as XTTYPE_HOSTMASK has it (`xtopt_parse_hostmask`, libxtables/xtoptions.c); host bits stay. */
export const hostMask: Value<HostMask> = {
  syntax: 'address[/mask]',
  words: 1,
  parse: ([word = ''], { family }) => {
    const slash = word.indexOf('/');
    const address = parseHost(slash === -1 ? word : word.slice(0, slash), family);
    if (address instanceof Problem) return address;
    const length = slash === -1 ? bitsOf(family) : parseLength(word.slice(slash + 1), family);
    return length instanceof Problem ? length : { address, length };
  },
  print: ({ address, length }) => `${printAddress(address)}${length === (typeof address === 'number' ? 32 : 128) ? '' : `/${String(length)}`}`,
  arbitrary: (fc, { family }) => {
    const odd = family === 'ipv4' ? ['10.1', '0x0a000001', 'localhost', '010.1.2.3'] : ['::FFFF:1.2.3.4', '2001:DB8::', 'fe80::1%1'];
    const host = fc.oneof({ weight: 4, arbitrary: arbitraryAddress(fc, family) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });
    const length = fc.integer({ min: 0, max: bitsOf(family) });
    const mask = fc.oneof(length.map(String), length.map(one => printAddress(prefixMask(one, family))), fc.constantFrom(...family === 'ipv4' ? ['255.0.255.0', '0x10', '010'] : ['ffff::ff', '0x40']));
    return fc.tuple(host, fc.option(mask)).map(([address, suffix]) => [suffix === null ? address : `${address}/${suffix}`]);
  },
};
