/** One host as `getaddrinfo` reads it, which is another way than that of `-s` and `-d`. */
import { arbitraryAddress } from './address-mask.js';
import { isIPv6, parseAddress, printAddress, type Address } from './address.js';
import { scanNumber } from './number.js';
import { refuse, unresolved, type Family, type Problem, type Value } from './value.js';

/** As `inet_aton`: one to four numbers in any base, of which the last fills the bytes that remain. */
function parseIPv4(word: string): number | undefined {
  const parts = word.split('.');
  if (parts.length > 4) return undefined;
  let value = 0n;
  for (const [i, part] of parts.entries()) {
    const scanned = /^\d/u.test(part) ? scanNumber(part) : undefined;
    const width = BigInt(i === parts.length - 1 ? 8 * (5 - parts.length) : 8);
    if (scanned?.rest !== '' || scanned.value >= 1n << width) return undefined;
    value = (value << width) | scanned.value;
  }
  return Number(value);
}

function isLinkLocal(address: Address | Problem): boolean {
  return typeof address === 'bigint' && (address >> 118n === 0x3fan || (address >> 112n & 0xff0fn) === 0xff02n);
}

/** The zone is dropped. It must be a number, or an interface if the address is link-local. */
function parseIPv6(word: string): Address | Problem | undefined {
  const [plain = '', zone] = word.split('%');
  if (!isIPv6(plain)) return undefined;
  const address = parseAddress(plain, 'ipv6');
  return zone === undefined || /^\d+$/u.test(zone) || (isLinkLocal(address) && zone !== '') ? address : undefined;
}

export function parseHost(word: string, family: Family): Address | Problem {
  const address = family === 'ipv4' ? parseIPv4(word) : parseIPv6(word);
  if (address !== undefined) return address;
  if (word.toLowerCase() === 'localhost') return parseAddress('localhost', family);
  const isOther = family === 'ipv4' ? isIPv6(word) : parseIPv4(word) !== undefined;
  if (isOther) return refuse(`\`${word}\` is not an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`);
  return /^[\w-][\w.-]*$/u.test(word) && /[a-z]/iu.test(word) ? unresolved(word, 'host') : refuse(`\`${word}\` is not an address`);
}

/** `address`: no mask, and `10.1` is 10.0.0.1. */
export const hostAddress: Value<Address> = {
  syntax: 'address',
  words: 1,
  parse: ([word = ''], cx) => parseHost(word, cx.family),
  print: printAddress,
  arbitrary: (fc, { family }) => fc.oneof(
    { weight: 3, arbitrary: arbitraryAddress(fc, family).map(address => [address]) },
    { weight: 1, arbitrary: fc.constantFrom(...family === 'ipv4' ? ['10.1', '010.0x1.1', '16843009', 'localhost'] : ['0:0:0:0:0:0:0:1', '2001:DB8::0a', 'fe80::1%1', '::1.2.3.4']).map(word => [word]) },
  ),
};
