import { isIPv6, parseAddress, printAddress, type Address } from './address.js';
import { arbitraryAddress } from './address-mask.js';
import { Problem, refuse, type Value } from './value.js';

/** As many as a list may have (IP6T_RT_HOPS). */
const mostAddresses = 16;

/** `address,…`: addresses only, no names. */
export const ipv6AddressList: Value<readonly Address[]> = {
  syntax: 'address,… (at most 16)',
  words: 1,
  parse: ([word = '']) => {
    const list: Address[] = [];
    for (const part of word.split(',')) {
      if (list.length === mostAddresses) return refuse(`too many addresses: a list holds at most ${String(mostAddresses)}`);
      const address = isIPv6(part) ? parseAddress(part, 'ipv6') : refuse(`\`${part}\` is not an IPv6 address`);
      if (address instanceof Problem) return address;
      list.push(address);
    }
    return list;
  },
  print: list => list.map(printAddress).join(','),
  arbitrary: fc => fc.tuple(fc.array(arbitraryAddress(fc, 'ipv6'), { minLength: 1, maxLength: 16 }), fc.boolean())
    .map(([list, upper]) => [upper ? list.join(',').toUpperCase() : list.join(',')]),
};
