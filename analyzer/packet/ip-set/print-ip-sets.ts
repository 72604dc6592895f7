/** Sets in the words of `ipset save`. */
import type { SkbInfo } from '../ip-sets.js';
import { protocolNumber } from '../protocols.js';
import { printAddress, type Address } from '../../values/address.js';
import { protocolWord } from '../../values/protocol.js';
import { noMac, type Element, type PartValue } from './element.js';
import { printIcmpPort } from './icmp-port.js';
import type { NamedSet } from './ip-set-table.js';
import { addressBits, type SetHeader } from './set-header.js';

const hex = (value: number): string => `0x${value.toString(16)}`;

function addressOf(value: PartValue | undefined): Address {
  return typeof value === 'bigint' ? value : Number(value);
}

function printPort(value: number): string {
  const protocol = value >>> 16;
  const port = value & 0xffff;
  if (protocol === protocolNumber.icmp) return `icmp:${printIcmpPort(port, 'ipv4')}`;
  if (protocol === protocolNumber.icmpv6) return `ipv6-icmp:${printIcmpPort(port, 'ipv6')}`;
  return `${protocolWord(protocol)}:${String(port)}`;
}

function printMac(value: number): string {
  return value.toString(16).toUpperCase().padStart(12, '0').replace(/..(?=.)/gu, '$&:');
}

function printParts(header: SetHeader, { values, lengths, physdev }: Element): string {
  const nets = lengths[Symbol.iterator]();
  const words = header.type.parts.map((part, index) => {
    const value = values[index];
    switch (part) {
      case 'ip': return printAddress(addressOf(value));
      case 'net': {
        const length: number = nets.next().value ?? 0;
        return printAddress(addressOf(value)) + (length === addressBits(header) ? '' : `/${String(length)}`);
      }
      case 'port': return printPort(Number(value));
      case 'mac': return value === noMac ? undefined : printMac(Number(value));
      case 'mark': return hex(Number(value));
      case 'iface': return `${physdev ? 'physdev:' : ''}${String(value)}`;
      case 'plainPort': case 'set': return String(value);
    }
  });
  return words.filter(word => word !== undefined).join(',');
}

function printInfo({ mark, priority = 0, queue = 0 }: SkbInfo): string[] {
  const hasMark = mark !== undefined && (mark.value !== 0 || mark.mask !== 0);
  return [
    ...hasMark ? [`skbmark ${hex(mark.value)}${mark.mask === 0xffff_ffff ? '' : `/${hex(mark.mask)}`}`] : [],
    ...priority === 0 ? [] : [`skbprio ${(priority >>> 16).toString(16)}:${(priority & 0xffff).toString(16)}`],
    ...queue === 0 ? [] : [`skbqueue ${String(queue)}`],
  ];
}

/** Seconds that are left; a begun one counts. */
function secondsLeft({ extensions: { expires, pendingTimeout } }: Element, now: number): number {
  if (expires === undefined) return pendingTimeout ?? 0;
  return Math.max(1, Math.floor(expires - now));
}

function printElement(header: SetHeader, element: Element, now: number): string {
  const { packets, bytes, comment, info, nomatch } = element.extensions;
  return [
    `add ${header.name} ${printParts(header, element)}`,
    ...header.timeout === undefined ? [] : [`timeout ${String(secondsLeft(element, now))}`],
    ...nomatch ? ['nomatch'] : [], ...element.wildcard ? ['wildcard'] : [],
    ...header.counters ? [`packets ${String(packets)} bytes ${String(bytes)}`] : [],
    ...comment === undefined ? [] : [`comment "${comment}"`],
    ...info === undefined ? [] : printInfo(info),
  ].join(' ');
}

function printRange({ type, range: [first, last] }: SetHeader): string {
  return type.name === 'bitmap:port' ? `${String(first)}-${String(last)}` : `${printAddress(first)}-${printAddress(last)}`;
}

/** hash:ip says its mask before the options that all types have, hash:ip,port and hash:net,net behind. */
function printMask({ netmask, bitmask }: SetHeader): string[] {
  return [...netmask === undefined ? [] : [`netmask ${String(netmask)}`], ...bitmask === undefined ? [] : [`bitmask ${printAddress(bitmask)}`]];
}

function printHeader(header: SetHeader): string {
  const { name, type, family, hashsize, maxelem, markmask, size, timeout, bucketsize, initval } = header;
  const isHash = type.storage === 'hash';
  const masksFirst = type.name === 'hash:ip' || type.storage === 'bitmap';
  return [
    `create ${name} ${type.name}`,
    ...type.storage === 'bitmap' ? [`range ${printRange(header)}`] : [],
    ...family === undefined || !isHash ? [] : [`family ${family === 'ipv4' ? 'inet' : 'inet6'}`],
    ...type.name === 'hash:ip,mark' ? [`markmask ${hex(markmask)}`] : [],
    ...isHash ? [`hashsize ${String(hashsize)} maxelem ${String(maxelem)}`] : [], ...type.storage === 'list' ? [`size ${String(size)}`] : [],
    ...masksFirst ? printMask(header) : [], ...timeout === undefined ? [] : [`timeout ${String(timeout)}`],
    ...(['counters', 'comment', 'skbinfo', 'forceadd'] as const).filter(word => header[word]),
    ...isHash ? [`bucketsize ${String(bucketsize)}`] : [], ...initval === undefined ? [] : [`initval ${initval}`], ...masksFirst ? [] : printMask(header),
  ].join(' ');
}

/** Every set and its elements; sets of sets come last, since they name others. */
export function printIpSets(sets: Iterable<NamedSet>, now: number): string {
  const all = [...sets];
  const isList = ({ header }: NamedSet): boolean => header.type.storage === 'list';
  const lines = [...all.filter(set => !isList(set)), ...all.filter(isList)]
    .flatMap(set => [printHeader(set.header), ...[...set.elements()].map(element => printElement(set.header, element, now))]);
  return lines.map(line => `${line}\n`).join('');
}
