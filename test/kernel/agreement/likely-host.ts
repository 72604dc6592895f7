/** A host on which the rules of a file could run: their interfaces, with addresses in the networks that they put behind them. */
import type { ScenarioInterface } from '../../../analyzer/netfilter/scenario.js';
import { fullMask, maskAddress, prefixLength, printAddress, type Address } from '../../../analyzer/values/address.js';
import type { AddressMask } from '../../../analyzer/values/address-mask.js';
import type { Family } from '../../../analyzer/values/value.js';
import type { Mentioned } from './mentioned.js';

/** An address and a mask. */
type Network = Pick<AddressMask, 'address' | 'mask'>;

export interface LikelyHost {
  readonly interfaces: readonly ScenarioInterface[];
  readonly routes: readonly string[];
  readonly own: readonly string[];
  /** A neighbour on each link, and the network's broadcast address. */
  readonly neighbours: readonly { readonly address: string; readonly behind: string }[];
}

const mostInterfaces = 6;

export function addressIn({ address }: Network, number: number): Address {
  return typeof address === 'number' ? (address + number) >>> 0 : address + BigInt(number);
}

/** Can a link have this network: not too large, with room for a few hosts, and no multicast? */
function isForLink({ address, mask }: Network, family: Family): boolean {
  const length = prefixLength(mask);
  if (length === undefined) return false;
  const first = family === 'ipv4' ? Number(address) >>> 24 : Number(BigInt(address) >> 112n);
  return family === 'ipv4' ? length >= 8 && length <= 29 && first > 0 && first < 224 && first !== 127 : length >= 16 && length <= 120 && first < 0xfe80 && first > 0;
}

function overlap(a: Network, b: Network): boolean {
  const mask = a.mask < b.mask ? a.mask : b.mask;
  return maskAddress(a.address, mask) === maskAddress(b.address, mask);
}

/** Where nothing is said of an interface. */
function invented(number: number, family: Family): Network {
  return family === 'ipv4'
    ? { address: 0xc612_0000 + number * 256, mask: 0xffff_ff00 }
    : { address: (0x2001_0db8_fff0n + BigInt(number)) << 80n, mask: ((1n << 64n) - 1n) << 64n };
}

function unicastHosts(list: readonly Network[] | undefined, family: Family): readonly Address[] {
  return (list ?? []).filter(one => one.mask === fullMask(family) && isForLink({ ...one, mask: family === 'ipv4' ? 0xffff_ff00 : ((1n << 64n) - 1n) << 64n }, family)).map(one => one.address);
}

export function likelyHost(mentioned: Mentioned, family: Family): LikelyHost {
  const named = mentioned.interfaces.slice(0, mostInterfaces);
  const names = named.length >= 2 ? named : [...named, ...['eth0', 'eth1'].filter(name => !named.includes(name))].slice(0, 2);
  const taken: Network[] = [];
  const links = names.map((name, number) => {
    const found = (mentioned.behind.get(name) ?? []).find(one => isForLink(one, family) && !taken.some(other => overlap(one, other))) ?? invented(number, family);
    taken.push(found);
    return { name, network: found };
  });
  const bits = family === 'ipv4' ? 32 : 128;
  const interfaces = links.map(({ name, network }, number): ScenarioInterface => {
    const more = [...unicastHosts(mentioned.own.get(name), family), ...number === 0 ? unicastHosts(mentioned.own.get(''), family) : []].map(address => `${printAddress(address)}/${String(bits)}`);
    const first = `${printAddress(addressIn(network, 1))}/${String(prefixLength(network.mask) ?? bits)}`;
    return { name, kind: /^(?:tun|ppp|wg|tap_)/u.test(name) ? 'tun' : 'ethernet', addresses: [...new Set([first, ...more.slice(0, 3)])] };
  });
  return {
    interfaces, routes: [`default via ${printAddress(addressIn(links[0]?.network ?? invented(0, family), 3))} dev ${names[0] ?? 'eth0'}`],
    own: [...new Set(interfaces.flatMap(one => one.addresses).map(word => word.split('/', 1)[0] ?? ''))],
    neighbours: links.map(({ name, network }) => ({ address: printAddress(addressIn(network, 5)), behind: name })),
  };
}
