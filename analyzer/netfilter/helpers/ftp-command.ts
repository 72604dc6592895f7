/** Reading FTP commands and answers that announce a data connection. @see find_pattern() and what it calls in net/netfilter/nf_conntrack_ftp.c */
import type { Direction } from '../../packet/connection.js';
import { parseIPv6 } from '../../values/address.js';
import type { Family } from '../../values/value.js';

export interface FtpCommand {
  readonly kind: 'PORT' | 'EPRT' | '227' | '229';
  /** Absent in 229: the server's own. */
  readonly address: number | bigint | undefined;
  readonly port: number;
  /** Where address and port stand in the text, and how long they are. */
  readonly at: number;
  readonly length: number;
}

type Found = Omit<FtpCommand, 'kind' | 'at'> & { readonly skipped?: number };

interface Pattern {
  readonly kind: FtpCommand['kind'];
  readonly word: string;
  /** The arguments begin behind this character; '' right behind the word. */
  readonly behind: string;
  readonly read: (text: string, family: Family) => Found | undefined;
}

const patterns: readonly [original: readonly Pattern[], reply: readonly Pattern[]] = [
  [
    { kind: 'PORT', word: 'port', behind: ' ', read: text => readNumbers(text, '\r') },
    { kind: 'EPRT', word: 'eprt', behind: ' ', read: readExtended },
  ],
  [
    { kind: '227', word: '227 ', behind: '', read: readBehindText },
    { kind: '229', word: '229 ', behind: '(', read: readExtendedPassive },
  ],
];

/** At the beginning of a line; `partial` where the line is not there whole, or not as it should be. */
export function findCommand(text: string, direction: Direction, family: Family): FtpCommand | 'partial' | undefined {
  for (const { kind, word, behind, read } of patterns[direction]) {
    const start = text.slice(0, word.length).toLowerCase();
    if (!word.startsWith(start)) continue;
    if (text.length <= word.length) return 'partial';
    const at = behind === '' ? word.length : text.indexOf(behind, word.length) + 1;
    if (at === 0) return 'partial';
    const found = read(text.slice(at), family);
    return found === undefined ? 'partial' : { kind, ...found, at: at + (found.skipped ?? 0) };
  }
  return undefined;
}

/** Numbers and separators, up to the terminator; with '' any other character ends them, but not the end of the text. */
function numbers(text: string, count: number, separator: string, terminator: string): { readonly values: number[]; readonly length: number } | undefined {
  const values = Array.from({ length: count }, () => 0);
  let index = 0;
  for (let at = 0; at < text.length && index < count; at++) {
    const char = text.charAt(at);
    if (char >= '0' && char <= '9') values[index] = ((values[index] ?? 0) * 10 + Number(char)) % 2 ** 32;
    else if (char === separator) index++;
    else return (char === terminator || terminator === '') && index === count - 1 && at > 0 ? { values, length: at } : undefined;
  }
  return undefined;
}

/** Bytes too large run over into their neighbours, as the shifts in the kernel do. */
function addressOf([a = 0, b = 0, c = 0, d = 0]: readonly number[]): number {
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** `192,168,1,1,5,6` */
function readNumbers(text: string, terminator: string): Found | undefined {
  const read = numbers(text, 6, ',', terminator);
  if (read === undefined) return undefined;
  const [high = 0, low = 0] = read.values.slice(4);
  return { address: addressOf(read.values), port: ((high << 8) | low) & 0xffff, length: read.length };
}

/** The text of 227 is free (RFC 1123, 4.1.2.6): the first digit begins the address. */
function readBehindText(text: string): Found | undefined {
  const skipped = text.search(/[0-9]/);
  const found = skipped < 0 ? undefined : readNumbers(text.slice(skipped), '');
  return found === undefined ? undefined : { ...found, skipped };
}

/** Any printable character but a digit. */
const isDelimiter = (char: string): boolean => char > ' ' && char <= '~' && (char < '0' || char > '9');

/** `|1|132.235.1.2|6275|` or `|2|2001:db8::1|6275|` */
function readExtended(text: string, family: Family): Found | undefined {
  const delimiter = text.charAt(0);
  if (text.length <= 3 || !isDelimiter(delimiter) || text.charAt(2) !== delimiter || text.charAt(1) !== (family === 'ipv4' ? '1' : '2')) return undefined;
  const address = family === 'ipv4' ? readDotted(text.slice(3), delimiter) : readIPv6(text.slice(3), delimiter);
  return address === undefined ? undefined : readPort(text, 3 + address.length + 1, delimiter, address.value);
}

interface ReadAddress {
  readonly value: number | bigint;
  readonly length: number;
}

function readDotted(text: string, delimiter: string): ReadAddress | undefined {
  const read = numbers(text, 4, '.', delimiter);
  return read === undefined ? undefined : { value: addressOf(read.values), length: read.length };
}

function readIPv6(text: string, delimiter: string): ReadAddress | undefined {
  const length = text.indexOf(delimiter);
  const value = length < 1 ? undefined : parseIPv6(text.slice(0, length));
  return value === undefined ? undefined : { value, length };
}

/** `|||6446|` */
function readExtendedPassive(text: string): Found | undefined {
  const delimiter = text.charAt(0);
  if (text.length <= 3 || !isDelimiter(delimiter) || text.charAt(1) !== delimiter || text.charAt(2) !== delimiter) return undefined;
  return readPort(text, 3, delimiter, undefined);
}

function readPort(text: string, start: number, delimiter: string, address: number | bigint | undefined): Found | undefined {
  let port = 0;
  for (let at = start; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === delimiter) return port === 0 ? undefined : { address, port, length: at + 1 };
    if (char < '0' || char > '9') return undefined;
    port = (port * 10 + Number(char)) & 0xffff;
  }
  return undefined;
}
