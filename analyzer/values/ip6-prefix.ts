import { fullMask, maskAddress, parseMask, prefixLength, prefixMask, printAddress, type Address } from './address.js';
import { parseHost } from './host-address.js';
import { Problem, refuse, type Value } from './value.js';

export interface Ip6Prefix {
  readonly address: Address;
  readonly length: number;
}

/** A prefix of at most 64 bits, without host bits (`ip6t_npt_checkentry` in net/ipv6/netfilter/ip6t_NPT.c). */
export const ip6Prefix: Value<Ip6Prefix> = {
  syntax: 'prefix/length',
  words: 1,
  parse: ([word = '']) => {
    const slash = word.indexOf('/');
    const mask = slash === -1 ? fullMask('ipv6') : parseMask(word.slice(slash + 1), 'ipv6');
    if (mask instanceof Problem) return mask;
    const address = parseHost(slash === -1 ? word : word.slice(0, slash), 'ipv6');
    if (address instanceof Problem) return address;
    const length = prefixLength(mask);
    if (length === undefined || length > 64) return refuse('the prefix may have at most 64 bits', 'write /64 or less behind the address');
    return maskAddress(address, mask) === address ? { address, length } : refuse(`\`${word}\` has bits behind its ${String(length)}-bit prefix`, `write ${printAddress(maskAddress(address, mask))}/${String(length)}`);
  },
  print: ({ address, length }) => `${printAddress(address)}/${String(length)}`,
  arbitrary: fc => fc.tuple(fc.oneof(fc.constantFrom(0n, 0xfd00n << 112n, 0x2001_0db8n << 96n), fc.bigInt(0n, (1n << 128n) - 1n)), fc.integer({ min: 0, max: 64 }), fc.constantFrom('length', 'length', 'hex', 'mask')).map(([number, length, form]) => {
    const mask = prefixMask(length, 'ipv6');
    const end = form === 'mask' ? printAddress(mask) : form === 'hex' ? `0x${length.toString(16)}` : String(length);
    return [`${printAddress(maskAddress(number, mask))}/${end}`];
  }),
};
