/** Addresses and prefixes in the words of iproute2. */
import { maskAddress, parseAddress, parseIPv6, prefixMask, type Address } from '../../values/address.js';
import { Problem, type Family } from '../../values/value.js';
import type { Prefix } from './route.js';

export function bitsOf(family: Family): number {
  return family === 'ipv4' ? 32 : 128;
}

export function anyAddress(family: Family): Address {
  return family === 'ipv4' ? 0 : 0n;
}

/** A numeric address; undefined where it is none. A zone (`fe80::1%eth0`) is left out. */
export function readAddress(word: string, family: Family): Address | undefined {
  if (family === 'ipv6') return parseIPv6(word.split('%', 1)[0] ?? '');
  if (!/^\d/u.test(word)) return undefined;
  const address = parseAddress(word, family);
  return address instanceof Problem || typeof address !== 'number' ? undefined : address;
}

/** `10.0.0.0/8`, `10/8`, `default`, `all`, or one address; host bits stay. */
export function readPrefix(word: string, family: Family): Prefix | undefined {
  if (word === 'default' || word === 'all' || word === 'any') return { address: anyAddress(family), length: 0 };
  const [text = '', bits] = word.split('/');
  const address = readAddress(text, family);
  const length = bits === undefined ? bitsOf(family) : /^\d{1,3}$/u.test(bits) ? Number(bits) : -1;
  return address === undefined || length < 0 || length > bitsOf(family) ? undefined : { address, length };
}

/** The network that the prefix stands for. */
export function networkOf({ address, length }: Prefix, family: Family): Address {
  return maskAddress(address, prefixMask(length, family));
}

/** Is the address in the prefix? */
export function contains({ address, length }: Prefix, other: Address, family: Family): boolean {
  const mask = prefixMask(length, family);
  return maskAddress(address, mask) === maskAddress(other, mask);
}

/** A number in decimal or, with 0x, hexadecimal; undefined where it is none. */
export function readNumber(word: string | undefined): number | undefined {
  return word !== undefined && /^(?:\d{1,10}|0x[0-9a-f]{1,8})$/iu.test(word) ? Number(word) : undefined;
}

/** `5` or `5-7`, both ends inclusive. */
export function readSpan(word: string | undefined): { readonly low: number; readonly high: number } | undefined {
  const [first, second = first, more] = word?.split('-') ?? [];
  const low = readNumber(first), high = readNumber(second);
  return low === undefined || high === undefined || more !== undefined || low > high ? undefined : { low, high };
}
