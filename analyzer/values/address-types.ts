import { refuse, type Value } from './value.js';

/** The types of a route, in the order in which they are saved (RTN_… in linux/rtnetlink.h). */
const types = ['UNSPEC', 'UNICAST', 'LOCAL', 'BROADCAST', 'ANYCAST', 'MULTICAST', 'BLACKHOLE', 'UNREACHABLE', 'PROHIBIT', 'THROW', 'NAT', 'XRESOLVE'] as const;
export type AddressType = typeof types[number];

/** Those that `addrtype_mt_checkentry_v1` refuses in IPv6. */
const notInIPv6: ReadonlySet<AddressType> = new Set<AddressType>(['BROADCAST', 'BLACKHOLE', 'PROHIBIT', 'THROW', 'NAT', 'XRESOLVE']);

/** `type,…` in any case; the beginning of a name will do, and the first type that begins so is meant. */
export const addressTypes: Value<readonly AddressType[]> = {
  syntax: 'type[,type…]',
  words: 1,
  parse: ([word = ''], { family }) => {
    const found = new Set<AddressType>();
    for (const part of word.split(',')) {
      const type = part === '' ? undefined : types.find(name => name.startsWith(part.toUpperCase()));
      if (type === undefined) return refuse(`\`${part}\` is not an address type`, `the types are ${types.join(' ')}`);
      if (family === 'ipv6' && notInIPv6.has(type)) return refuse(`IPv6 has no address type ${type}`, `it has ${types.filter(name => !notInIPv6.has(name)).join(' ')}`);
      found.add(type);
    }
    return types.filter(type => found.has(type));
  },
  print: list => list.join(','),
  arbitrary: (fc, { family }) => {
    const legal = types.filter(type => family === 'ipv4' || !notInIPv6.has(type));
    const spelling = fc.tuple(fc.constantFrom(...legal), fc.constantFrom('as is', 'as is', 'lower', 'short'))
      .map(([type, form]) => form === 'lower' ? type.toLowerCase() : form === 'short' ? type.slice(0, 3) : type);
    return fc.array(spelling, { minLength: 1, maxLength: 4 }).map(list => [list.join(',')]);
  },
};
