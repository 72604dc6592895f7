/** IPv4 and IPv6 addresses: numbers of 32 bits and bigints of 128. */
import { parseInteger, scanNumber } from './number.js';
import { refuse, unresolved, type Family, type Problem } from './value.js';

/** IPv4 as a number, IPv6 as a bigint. */
export type Address = number | bigint;

/** What addresses are looked up by. V8 finds bigints by their lower 64 bits alone, which all networks of IPv6 have in common. */
export function addressKey(address: Address): number | string {
  return typeof address === 'number' ? address : address.toString(16);
}

/** The masks of IPv6, by their lengths. */
const masks6 = Array.from({ length: 129 }, (_, length) => ((1n << BigInt(length)) - 1n) << BigInt(128 - length));

/** All ones: 2^32 − 1 or 2^128 − 1. */
export function fullMask(family: Family): Address {
  return family === 'ipv4' ? 0xffff_ffff : masks6[128] ?? 0n;
}

/** The mask of a prefix length, 0 … 32 or 128. */
export function prefixMask(length: number, family: Family): Address {
  if (family === 'ipv4') return length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0;
  return masks6[length] ?? 0n;
}

/** The prefix length of a mask, or undefined where its ones are not all in front. */
export function prefixLength(mask: Address): number | undefined {
  if (typeof mask === 'number') {
    const length = Math.clz32(~mask);
    return prefixMask(length, 'ipv4') === mask ? length : undefined;
  }
  // Of the lengths that leave so many digits of zeros.
  const shortest = 128 - 4 * (BigInt(fullMask('ipv6')) ^ mask).toString(16).length;
  for (let length = shortest; length <= shortest + 4; length++) if (masks6[length] === mask) return length;
  return undefined;
}

export function maskAddress(address: Address, mask: Address): Address {
  if (typeof address === 'number') return (address & Number(mask)) >>> 0;
  return address & BigInt(mask);
}

/** `a.b.c.d` in plain decimal, the usual case; −1 where it is not. */
function parseDottedDecimal(text: string): number {
  let value = 0;
  let byte = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (byte === -1) return -1;
      value = value * 256 + byte;
      byte = -1;
      dots++;
    } else if (code >= 48 && code <= 57) {
      if (byte === 0) return -1; // a leading zero means octal
      byte = (byte === -1 ? 0 : byte) * 10 + code - 48;
      if (byte > 255) return -1;
    } else return -1;
  }
  return dots === 3 && byte !== -1 ? value * 256 + byte : -1;
}

/** Up to four bytes in any base, missing ones being zero (`__numeric_to_ipaddr`, libxtables/xtables.c). */
function parseDotted(text: string, isMask: boolean): number | undefined {
  const parts = text.split('.');
  if (isMask ? parts.length < 4 : parts.length > 4) return undefined;
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const part = parts[i];
    const byte = i === 3 && parts.length > 4 ? undefined : part === undefined ? 0 : parseInteger(part, 0, 255);
    if (byte === undefined) return undefined;
    value = value * 256 + byte;
  }
  return value;
}

/** The last part fills all bytes that remain, as `inet_aton` has it: 10.1 is 10.0.0.1, 3232235777 is 192.168.1.1. */
function parseAton(text: string): number | undefined {
  const parts = text.split('.').map(part => scanNumber(part));
  if (parts.length > 4) return undefined;
  let value = 0n;
  for (const [i, part] of parts.entries()) {
    const width = BigInt(i === parts.length - 1 ? 8 * (5 - parts.length) : 8);
    if (part?.rest !== '' || part.value >= 1n << width) return undefined;
    value = (value << width) | part.value;
  }
  return Number(value);
}

/** Names that need no name service: those of every Debian's /etc/hosts and /etc/networks. */
const knownHosts: Record<Family, ReadonlyMap<string, Address>> = {
  ipv4: new Map<string, Address>([['localhost', 0x7f00_0001], ['default', 0], ['loopback', 0x7f00_0000], ['link-local', 0xa9fe_0000]]),
  ipv6: new Map<string, Address>([['localhost', 1n], ['ip6-localhost', 1n], ['ip6-loopback', 1n]]),
};

/** Groups of four hexadecimal digits between colons, as numbers; undefined where one is not such a group. */
function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':').map(group => /^[0-9a-f]{1,4}$/iu.test(group) ? parseInt(group, 16) : -1);
  return groups.includes(-1) ? undefined : groups;
}

/**
 * An IPv6 address as `inet_pton` reads it: eight groups, one run of them folded into `::`, the last two
 * maybe as an IPv4 address. (Written here because loading node:net for it costs a tenth of the start-up time.)
 */
export function parseIPv6(text: string): bigint | undefined {
  let words = text;
  const dotted = text.lastIndexOf(':') + 1;
  if (text.includes('.', dotted)) {
    const low = parseDottedDecimal(text.slice(dotted));
    if (low === -1 || dotted === 0) return undefined;
    words = `${text.slice(0, dotted)}${(low >>> 16).toString(16)}:${(low & 0xffff).toString(16)}`;
  }
  const [front = '', back, ...more] = words.split('::');
  const left = parseGroups(front);
  const right = parseGroups(back ?? '');
  if (left === undefined || right === undefined || more.length > 0) return undefined;
  const missing = 8 - left.length - right.length;
  if (back === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...left, ...Array<number>(missing).fill(0), ...right].reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** Whether the word is an IPv6 address. */
export function isIPv6(word: string): boolean {
  return word.includes(':') && parseIPv6(word) !== undefined;
}

/** Whether the word is an IPv4 address of four plain decimal numbers. */
export function isIPv4(word: string): boolean {
  return parseDottedDecimal(word) !== -1;
}

/** One address, by number or by a name that needs no name service. */
export function parseAddress(word: string, family: Family): Address | Problem {
  const address = family === 'ipv6' ? parseIPv6(word) : numericIPv4(word);
  const known = address ?? knownHosts[family].get(word.toLowerCase());
  if (known !== undefined) return known;
  if (family === 'ipv4' && isIPv6(word)) return refuse(`\`${word}\` is an IPv6 address in an IPv4 rule set`);
  if (family === 'ipv6' && parseDottedDecimal(word) !== -1) return refuse(`\`${word}\` is an IPv4 address in an IPv6 rule set`);
  if (/^[\w<>.-]+$/u.test(word) && /[a-z]/iu.test(word)) return unresolved(word, 'host');
  return refuse(`\`${word}\` is not an address`);
}

function numericIPv4(word: string): number | undefined {
  const quick = parseDottedDecimal(word);
  return quick === -1 ? parseDotted(word, false) ?? parseAton(word) : quick;
}

/** A prefix length or a mask written as an address. */
export function parseMask(word: string, family: Family): Address | Problem {
  const isWritten = family === 'ipv4' ? word.includes('.') : word.includes(':');
  const mask = !isWritten ? undefined : family === 'ipv4' ? parseDotted(word, true) : parseIPv6(word);
  if (mask !== undefined) return mask;
  const bits = family === 'ipv4' ? 32 : 128;
  const length = parseInteger(word, 0, bits);
  return length === undefined ? refuse(`\`${word}\` is neither a prefix length (0 to ${String(bits)}) nor a mask`) : prefixMask(length, family);
}

function printIPv4(address: number): string {
  return `${String(address >>> 24)}.${String((address >>> 16) & 255)}.${String((address >>> 8) & 255)}.${String(address & 255)}`;
}

/** As glibc's `inet_ntop`: the longest run of two or more zero words is folded, and an IPv4 address at the end is dotted. */
function printIPv6(address: bigint): string {
  const words = Array.from({ length: 8 }, (_, i) => Number((address >> BigInt(112 - 16 * i)) & 0xffffn));
  let best = { at: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && words[end] === 0) end++;
    if (end - i > best.length) best = { at: i, length: end - i };
    if (end > i) i = end;
  }
  const dotted = best.at === 0 && (best.length === 6 || (best.length === 5 && words[5] === 0xffff));
  const hex = (part: readonly number[]): string => part.map(word => word.toString(16)).join(':');
  if (dotted) return `${best.length === 6 ? '::' : '::ffff:'}${printIPv4(Number(address & 0xffff_ffffn))}`;
  if (best.at === -1) return hex(words);
  return `${hex(words.slice(0, best.at))}::${hex(words.slice(best.at + best.length))}`;
}

/** In the form that `iptables-save` uses. */
export function printAddress(address: Address): string {
  return typeof address === 'number' ? printIPv4(address) : printIPv6(address);
}
