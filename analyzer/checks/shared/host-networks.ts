/** The addresses of a host, and the networks that it is in. */
import type { Range } from '../../packet/constraint.js';
import { fullMask, parseAddress, prefixMask, maskAddress } from '../../values/address.js';
import { Problem, type Family } from '../../values/value.js';
import type { CheckContext } from '../define-check.js';

export interface HostNetwork {
  readonly device: string;
  /** `bridge`, `ethernet` …, where it is known. */
  readonly kind: string | undefined;
  readonly address: number | bigint;
  /** All addresses that are reached directly by the device. */
  readonly network: Range;
}

/** What the interfaces of a host say of it; empty where they are not known. Point-to-point links are no networks. */
export function networksOf(host: CheckContext['host'], family: Family): readonly HostNetwork[] {
  return (host?.interfaces ?? []).flatMap(({ name, kind, addresses = [] }) => addresses.flatMap(given => {
    const { address: text, peer }: { readonly address: string; readonly peer?: string } = typeof given === 'string' ? { address: given } : given;
    const [word = '', length] = text.split('/');
    const address = word.includes(':') === (family === 'ipv6') ? parseAddress(word, family) : undefined;
    if (address === undefined || address instanceof Problem) return [];
    const mask = length === undefined || peer !== undefined ? fullMask(family) : prefixMask(Number(length), family);
    const low = maskAddress(address, mask);
    const high = typeof low === 'number' ? low + (0xffff_ffff - Number(mask)) : low | (BigInt(fullMask(family)) ^ BigInt(mask));
    return [{ device: name, kind, address, network: { low, high } }];
  }));
}

/** Whether all of some addresses are the host's own: true, false, or undefined where that is not known. */
export function areOwn(ranges: readonly Range[], host: CheckContext['host'], family: Family): boolean | undefined {
  if (ranges.every(isLoopback)) return true;
  const known = networksOf(host, family);
  if (known.length === 0) return undefined;
  return ranges.every(({ low, high }) => low === high && known.some(one => one.address === low));
}

/** All of it is of 127.0.0.0/8, or `::1`. @see ipv4_is_loopback() in include/linux/in.h, RFC 4291 2.5.3 */
export function isLoopback({ low, high }: Range): boolean {
  return typeof low === 'number' ? low >>> 24 === 127 && Number(high) >>> 24 === 127 : low === 1n && high === 1n;
}
