/** Where NAT maps to: addresses, ports or both, as SNAT, DNAT, MASQUERADE and REDIRECT take them. */
import { arbitraryAddress } from './address-mask.js';
import { isIPv4, isIPv6, parseAddress, printAddress, type Address } from './address.js';
import { scanNumber } from './number.js';
import { portWord, servicePort } from './port.js';
import { Problem, refuse, unresolved, type Arbitrary, type Family, type Fc, type Value, type ValueContext } from './value.js';

/** Inclusive at both ends. */
export interface NatPorts {
  readonly low: number;
  readonly high: number;
  /** Which original port becomes `low` (DNAT only). */
  readonly base: number | undefined;
}

export interface NatRange {
  readonly addresses: { readonly low: Address; readonly high: Address } | undefined;
  readonly ports: NatPorts | undefined;
}

/** What becomes of `/base`: DNAT keeps it, SNAT and MASQUERADE have no room for it and save `/0`, REDIRECT refuses it. */
export type BaseRule = 'kept' | 'lost' | 'refused';

/** Protocols whose rules may name ports, negated or not; ICMP identifiers count as ports. */
const portProtocols: ReadonlySet<number> = new Set([1, 6, 17, 33, 132]);

export function mayNamePorts(cx: ValueContext): boolean {
  return cx.protocol !== undefined && portProtocols.has(cx.protocol.number);
}

function knownService(name: string): number | undefined {
  return ['tcp', 'udp', 'sctp', 'dccp'].map(protocol => servicePort(name, protocol)).find(found => found !== undefined);
}

function service(name: string): number | Problem {
  const port = knownService(name);
  if (port !== undefined) return port;
  const first = knownService(name.split('-')[0] ?? '');
  if (first !== undefined && /-\d+$/u.test(name)) return refuse('a range of ports takes numbers, not service names', `write ${String(first)}${name.slice(name.lastIndexOf('-'))}`);
  return /^[a-z][\w.+*/-]*$/iu.test(name) ? unresolved(name, 'service') : refuse(`\`${name}\` is not a port (0 to 65535)`);
}

/** A number at the start of `text`, and what follows it. */
function scanPort(text: string, low = 0): { readonly value: number; readonly rest: string } | undefined {
  const scanned = scanNumber(text);
  if (scanned === undefined || scanned.value < BigInt(low) || scanned.value > 65_535n) return undefined;
  return { value: Number(scanned.value), rest: scanned.rest };
}

/** `port[-port[/port]]`. A service name stands alone or behind the `/`. */
export function parseNatPorts(word: string, base: BaseRule, cx: ValueContext): NatPorts | Problem {
  if (!mayNamePorts(cx)) return refuse('ports need -p tcp, udp, sctp, dccp or icmp in front of them');
  const first = scanPort(word);
  if (first === undefined) {
    const named = service(word);
    return named instanceof Problem ? named : { low: named, high: named, base: undefined };
  }
  const low = first.value;
  if (first.rest === '') return { low, high: low, base: undefined };
  if (first.rest.startsWith(':')) return refuse('a port range is written with a dash', `write ${word.replace(':', '-')}`);
  const last = first.rest.startsWith('-') ? scanPort(first.rest.slice(1)) : undefined;
  if (last === undefined) return refuse(`\`${word}\` is not a port or a range of ports`);
  const high = last.value;
  if (high < low) return refuse(`the range ${word} is upside down`, `write ${String(high)}-${String(low)}`);
  if (last.rest === '') return { low, high, base: undefined };
  if (!last.rest.startsWith('/')) return refuse(`\`${word}\` is not a port or a range of ports`);
  if (base === 'refused') return refuse('a shifted range (`/port`) is for DNAT only');
  // What follows the number is not looked at.
  const shift = scanPort(last.rest.slice(1), 1)?.value ?? service(last.rest.slice(1));
  return shift instanceof Problem ? shift : { low, high, base: base === 'kept' ? shift : 0 };
}

export function printNatPorts({ low, high, base }: NatPorts): string {
  return `${String(low)}${low === high ? '' : `-${String(high)}`}${base === undefined ? '' : `/${String(base)}`}`;
}

/** As `inet_pton`: four decimal bytes, or an IPv6 address; no names. */
function parseNumeric(word: string, family: Family): Address | Problem {
  if (family === 'ipv4' ? isIPv4(word) : isIPv6(word)) return parseAddress(word, family);
  return refuse(`\`${word}\` is not an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address; NAT takes numeric addresses only`);
}

function parseAddresses(word: string, family: Family): NatRange['addresses'] | Problem {
  const dash = word.indexOf('-');
  const low = parseNumeric(dash === -1 ? word : word.slice(0, dash), family);
  if (low instanceof Problem) return low;
  const high = dash === -1 ? low : parseNumeric(word.slice(dash + 1), family);
  return high instanceof Problem ? high : { low, high };
}

/** Where the addresses are in `word`, and where the colon before the ports is (−1: no ports). */
function split(word: string, family: Family): { readonly addresses: string; readonly colon: number } | Problem {
  const open = word.indexOf('[');
  if (open === -1) {
    // Two colons are an IPv6 address, one stands before ports.
    const first = word.indexOf(':');
    const colon = first === word.lastIndexOf(':') ? first : -1;
    return { addresses: colon === -1 ? word : word.slice(0, colon), colon };
  }
  const close = word.indexOf(']', open);
  if (family === 'ipv4') return refuse('brackets are for IPv6 addresses');
  if (close === -1) return refuse(`\`${word}\` has no closing bracket`);
  return { addresses: word.slice(open + 1, close), colon: word.indexOf(':', close) };
}

/**
 * `[address[-address]][:port[-port[/port]]]`, IPv6 addresses in brackets where ports follow.
 * The ends of the address range may be the wrong way round. A colon that is the third
 * character ends an address that is not looked at (made for `[]:80`, but `10:80` goes too).
 */
export function natRange(base: BaseRule): Value<NatRange> {
  return {
    syntax: base === 'kept' ? '[address[-address]][:port[-port[/port]]]' : '[address[-address]][:port[-port]]',
    words: 1,
    parse: ([word = ''], cx) => {
      const parts = split(word, cx.family);
      if (parts instanceof Problem) return parts;
      const { colon } = parts;
      const ports = colon === -1 ? undefined : parseNatPorts(word.slice(colon + 1), base, cx);
      if (ports instanceof Problem) return ports;
      if (colon === 0 || colon === 2) return { addresses: undefined, ports };
      const addresses = parseAddresses(parts.addresses, cx.family);
      return addresses instanceof Problem ? addresses : { addresses, ports };
    },
    print: ({ addresses, ports }) => {
      let text = '';
      if (addresses !== undefined) {
        const { low, high } = addresses;
        text = `${printAddress(low)}${low === high ? '' : `-${printAddress(high)}`}`;
        if (typeof low === 'bigint' && ports !== undefined) text = `[${text}]`;
      }
      return `${text}${ports === undefined ? '' : `:${printNatPorts(ports)}`}`;
    },
    arbitrary: (fc, cx) => {
      const one = arbitraryAddress(fc, cx.family);
      const addresses = fc.oneof(one, one.map(address => `${address}-${address}`), fc.tuple(one, one).map(two => two.join('-')));
      if (!mayNamePorts(cx)) return fc.tuple(addresses, fc.boolean()).map(([text, bracket]) => [bracket && cx.family === 'ipv6' ? `[${text}]` : text]);
      const ports = natPortsWord(fc, base);
      return fc.oneof(
        addresses.map(text => [text]),
        ports.map(text => [`:${text}`]),
        ports.map(text => [cx.family === 'ipv6' ? `[]:${text}` : `10:${text}`]),
        fc.tuple(addresses, ports).map(([text, port]) => [`${cx.family === 'ipv6' ? `[${text}]` : text}:${port}`]),
      );
    },
  };
}

function natPortsWord(fc: Fc, base: BaseRule): Arbitrary<string> {
  const number = fc.tuple(portWord(fc), fc.constantFrom(10, 16)).map(([port, radix]) => radix === 16 ? `0x${port.toString(16)}` : String(port));
  const range = fc.tuple(portWord(fc), portWord(fc)).map(([a, b]) => `${String(Math.min(a, b))}-${String(Math.max(a, b))}`);
  const shifted = fc.tuple(range, fc.constantFrom('1', '1024', '0xff', '80x', 'http')).map(([text, shift]) => `${text}/${shift}`);
  return fc.oneof({ weight: 3, arbitrary: number }, fc.constantFrom('http', 'domain'), { weight: 3, arbitrary: range }, base === 'refused' ? range : shifted);
}

/** `--to-ports`: ports alone. Only rules for a protocol with ports may have it. */
export function natPorts(base: BaseRule): Value<NatPorts> {
  return {
    syntax: 'port[-port]',
    words: 1,
    parse: ([word = ''], cx) => parseNatPorts(word, base, cx),
    print: printNatPorts,
    arbitrary: (fc, cx) => mayNamePorts(cx) ? natPortsWord(fc, base).map(text => [text]) : fc.constant(['80']),
  };
}
