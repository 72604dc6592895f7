import { fullMask, maskAddress, parseAddress, parseMask, prefixLength, prefixMask, printAddress, type Address } from './address.js';
import { Problem, type Arbitrary, type Family, type Fc, type Value } from './value.js';

/** An address with its mask; the address has no bit outside the mask. */
export interface AddressMask {
  readonly address: Address;
  readonly mask: Address;
  /** Bits outside the mask were given, and the loader drops them: the rule is wider than it looks. */
  readonly hostBits: boolean;
}

/** `address[/mask]`, mask as a prefix length or written out. With a mask of zero the name is not even looked at. */
export function parseAddressMask(word: string, family: Family): AddressMask | Problem {
  const slash = word.lastIndexOf('/');
  const mask = slash === -1 ? fullMask(family) : parseMask(word.slice(slash + 1), family);
  if (mask instanceof Problem) return mask;
  const name = slash === -1 ? word : word.slice(0, slash);
  const address = parseAddress(name, family);
  if (Number(mask) === 0) return { address: mask, mask, hostBits: !(address instanceof Problem) && Number(address) !== 0 };
  if (address instanceof Problem) return address;
  const network = maskAddress(address, mask);
  return { address: network, mask, hostBits: network !== address };
}

/** `10.0.0.0/8`, or the mask written out where it is no prefix. */
export function printAddressMask({ address, mask }: AddressMask): string {
  return `${printAddress(address)}/${String(prefixLength(mask) ?? printAddress(mask))}`;
}

/** Any address: private and public ones, the ends of the space. */
export function arbitraryAddress(fc: Fc, family: Family): Arbitrary<string> {
  const number = family === 'ipv4'
    ? fc.oneof(fc.constantFrom(0, 0x0a00_0001, 0x7f00_0001, 0xc000_0201, 0xc0a8_0001, 0xe000_0001, 0xffff_ffff), fc.integer({ min: 0, max: 0xffff_ffff }))
    : fc.oneof(fc.constantFrom(0n, 1n, 0xfe80n << 112n, (0x2001_0db8n << 96n) + 1n, 0xff02n << 112n, (1n << 128n) - 1n, 0xffff_0a00_0001n), fc.bigInt(0n, (1n << 128n) - 1n));
  return (number as Arbitrary<Address>).map(printAddress);
}

/** One `address[/mask]`. */
export const addressMask: Value<AddressMask> = {
  syntax: 'address[/mask]',
  words: 1,
  parse: ([word = ''], cx) => parseAddressMask(word, cx.family),
  print: printAddressMask,
  arbitrary: (fc, { family }) => {
    const bits = family === 'ipv4' ? 32 : 128;
    return fc.tuple(arbitraryAddress(fc, family), fc.option(fc.integer({ min: 0, max: bits })), fc.constantFrom('length', 'written', 'odd')).map(([address, length, form]) => {
      if (length === null) return [address];
      if (form === 'odd' && family === 'ipv4') return [`${address}/255.0.255.0`];
      return [`${address}/${form === 'written' ? printAddress(prefixMask(length, family)) : String(length)}`];
    });
  },
};

/** `address[/mask],…`: the loader makes one rule of each. */
export const addressMaskList: Value<readonly AddressMask[]> = {
  syntax: 'address[/mask][,…]',
  words: 1,
  parse: ([word = ''], cx) => {
    if (!word.includes(',')) {
      const single = parseAddressMask(word, cx.family);
      return single instanceof Problem ? single : [single];
    }
    const list: AddressMask[] = [];
    for (const part of word.split(',')) {
      const one = parseAddressMask(part.trimStart(), cx.family);
      if (one instanceof Problem) return one;
      list.push(one);
    }
    return list;
  },
  print: list => list.map(printAddressMask).join(','),
  arbitrary: (fc, cx) => fc.oneof(
    { weight: 6, arbitrary: addressMask.arbitrary(fc, cx) },
    { weight: 1, arbitrary: fc.array(addressMask.arbitrary(fc, cx), { minLength: 2, maxLength: 3 }).map(list => [list.map(([word]) => word).join(',')]) },
  ),
};
