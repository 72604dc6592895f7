/** The parts of an element in words: `10.0.0.0/24,tcp:80-90,eth0`. A word may stand for many values. */
import { protocolNumber } from '../protocols.js';
import { parseAddress, prefixMask, type Address } from '../../values/address.js';
import { macAddress } from '../../values/mac-address.js';
import { parseInteger } from '../../values/number.js';
import { parsePort } from '../../values/port.js';
import { parseProtocol } from '../../values/protocol.js';
import { Problem, refuse, type Family } from '../../values/value.js';
import type { PartValue } from './element.js';
import { parseIcmpPort } from './icmp-port.js';
import { addressBits, type SetHeader } from './set-header.js';
import type { Part } from './set-type.js';

/** Values of one part: from `first` to `last`, or a list of networks. */
export type PartWord =
  | { readonly kind: 'range'; readonly first: PartValue; readonly count: number }
  | { readonly kind: 'nets'; readonly nets: readonly Net[] }
  | { readonly kind: 'interface'; readonly name: string; readonly physdev: boolean };

export interface Net {
  readonly address: Address;
  readonly length: number;
}

const one = (value: PartValue): PartWord => ({ kind: 'range', first: value, count: 1 });

/** A prefix length behind the slash, if there is one. */
function parsePrefix(word: string, header: SetHeader): Net | Problem {
  const [host = '', length, ...more] = word.split('/');
  const bits = addressBits(header);
  const address = parseAddress(host, header.family ?? 'ipv4');
  if (address instanceof Problem) return address;
  const prefix = length === undefined ? bits : parseInteger(length, 0, bits);
  return prefix === undefined || more.length > 0 ? refuse(`\`${word}\` has no prefix length of 0 to ${String(bits)}`) : { address, length: prefix };
}

/** Both ends of `a-b` in IPv4, or of a network; the lower one first. */
function parseBounds(word: string, header: SetHeader): readonly [first: Address, last: Address] | Problem {
  const [low = '', high] = word.split('-');
  const from = parsePrefix(low, header);
  if (from instanceof Problem) return from;
  if (typeof from.address === 'bigint') {
    return high === undefined && from.length === 128 ? [from.address, from.address] : refuse(`\`${word}\` must be a single address in a set of IPv6`);
  }
  if (high === undefined) {
    const mask = Number(prefixMask(from.length, 'ipv4'));
    return from.length === 32 ? [from.address, from.address] : [(from.address & mask) >>> 0, (from.address | ~mask) >>> 0];
  }
  const to = parseAddress(high, 'ipv4');
  if (to instanceof Problem) return to;
  return from.address <= to ? [from.address, to] : [to, from.address];
}

/** The fewest networks that make up a range of IPv4. @see ip_set_range_to_cidr() */
function netsOf(first: number, last: number): Net[] {
  const nets: Net[] = [];
  for (let address = first; address <= last;) {
    let length = 32;
    while (length > 1 && address % 2 ** (33 - length) === 0 && address + 2 ** (33 - length) - 1 <= last) length--;
    nets.push({ address, length });
    address += 2 ** (32 - length);
  }
  return nets;
}

function parseNet(word: string, header: SetHeader): PartWord | Problem {
  if (word.includes('-') && header.family === 'ipv4') {
    const bounds = parseBounds(word, header);
    return bounds instanceof Problem ? bounds : { kind: 'nets', nets: netsOf(Number(bounds[0]), Number(bounds[1])) };
  }
  const net = parsePrefix(word, header);
  if (net instanceof Problem) return net;
  return net.length === 0 && !header.type.takesNet0 ? refuse(`${header.type.name} has no network with prefix length 0`) : { kind: 'nets', nets: [net] };
}

function parseIp(word: string, header: SetHeader): PartWord | Problem {
  const bounds = parseBounds(word, header);
  if (bounds instanceof Problem) return bounds;
  return { kind: 'range', first: bounds[0], count: Number(bounds[1]) - Number(bounds[0]) + 1 };
}

/** `80`, `http` or `80-90`; a name may have a dash in it. */
function parsePorts(word: string, protocol: string): { readonly first: number; readonly count: number } | Problem {
  const single = parsePort(word, protocol);
  if (!(single instanceof Problem)) return { first: single, count: 1 };
  const dash = word.indexOf('-');
  if (dash === -1) return single;
  const low = parsePort(word.slice(0, dash), protocol);
  const high = parsePort(word.slice(dash + 1), protocol);
  if (low instanceof Problem) return low;
  if (high instanceof Problem) return high;
  return { first: Math.min(low, high), count: Math.abs(high - low) + 1 };
}

const withPorts: ReadonlyMap<number, string> = new Map([
  [protocolNumber.tcp, 'tcp'], [protocolNumber.udp, 'udp'], [protocolNumber.sctp, 'sctp'], [protocolNumber.udplite, 'udplite'],
]);

/** `port`, of TCP, or `protocol:port`; protocols without ports have port 0. */
function parseProtocolPort(word: string, family: Family | undefined): PartWord | Problem {
  const colon = word.indexOf(':');
  const name = colon === -1 ? 'tcp' : word.slice(0, colon);
  const rest = word.slice(colon + 1);
  const protocol = name === 'icmpv6' ? protocolNumber.icmpv6 : parseProtocol(name);
  if (protocol instanceof Problem) return protocol;
  if (protocol === protocolNumber.icmp || protocol === protocolNumber.icmpv6) {
    const own = protocol === protocolNumber.icmp ? 'ipv4' : 'ipv6';
    if (family !== own) return refuse(`${name} is of ${own === 'ipv4' ? 'family inet' : 'family inet6'} only`);
    const port = parseIcmpPort(rest, own);
    return port instanceof Problem ? port : one((protocol << 16) | port);
  }
  const service = withPorts.get(protocol);
  if (service === undefined) return protocol > 0 && rest === '0' ? one(protocol << 16) : refuse(`protocol ${name} has no ports: write \`${name}:0\``);
  const ports = parsePorts(rest, service);
  return ports instanceof Problem ? ports : { kind: 'range', first: (protocol << 16) | ports.first, count: ports.count };
}

function parsePlainPort(word: string): PartWord | Problem {
  const [, name = 'tcp', rest = ''] = /^(?:(tcp|udp):)?(.*)$/u.exec(word) ?? [];
  const ports = parsePorts(rest, name);
  return ports instanceof Problem ? ports : { kind: 'range', ...ports };
}

const maxInterfaceName = 15;

function parseInterface(word: string): PartWord | Problem {
  const physdev = word.startsWith('physdev:');
  const name = physdev ? word.slice('physdev:'.length) : word;
  if (name === '') return refuse('the name of the interface is missing');
  return name.length > maxInterfaceName ? refuse(`the interface name \`${name}\` is longer than ${String(maxInterfaceName)} characters`) : { kind: 'interface', name, physdev };
}

function parseMac(word: string): PartWord | Problem {
  const mac = macAddress.parse([word], { family: 'ipv4', protocol: undefined, backend: 'legacy' });
  return mac instanceof Problem ? mac : one(mac);
}

function parseMark(word: string): PartWord | Problem {
  const mark = parseInteger(word, 0, 0xffff_ffff);
  return mark === undefined ? refuse(`\`${word}\` is not a mark`) : one(mark);
}

export function parsePart(part: Part, word: string, header: SetHeader): PartWord | Problem {
  switch (part) {
    case 'ip': return parseIp(word, header);
    case 'net': return parseNet(word, header);
    case 'port': return parseProtocolPort(word, header.family);
    case 'plainPort': return parsePlainPort(word);
    case 'mac': return parseMac(word);
    case 'mark': return parseMark(word);
    case 'iface': return parseInterface(word);
    case 'set': return one(word);
  }
}

/** The bounds of a bitmap, as `range` gives them. */
export function parseRange(word: string, header: SetHeader): readonly [first: number, last: number] | Problem {
  if (header.type.name !== 'bitmap:port') {
    const bounds = parseBounds(word, header);
    return bounds instanceof Problem ? bounds : [Number(bounds[0]), Number(bounds[1])];
  }
  const ports = parsePlainPort(word);
  if (ports instanceof Problem || ports.kind !== 'range') return ports instanceof Problem ? ports : refuse(`\`${word}\` is no range`);
  return [Number(ports.first), Number(ports.first) + ports.count - 1];
}
