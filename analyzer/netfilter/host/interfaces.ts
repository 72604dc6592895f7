/** The interfaces of a host: what is written of them, read once. */
import { addressKey, maskAddress, prefixMask, type Address } from '../../values/address.js';
import type { Family } from '../../values/value.js';
import { isLoopback4, isLoopback6, linkLocalOf, scope6 } from './address-kind.js';
import type { HostAddress, HostInterface } from './host.js';
import { bitsOf, readAddress, readNumber, readPrefix } from './prefix.js';
import { scopes } from './route.js';

/** `struct in_ifaddr`, `struct inet6_ifaddr`. */
export interface InterfaceAddress {
  readonly local: Address;
  /** Where the prefix is counted from: the peer's address, or `local`. */
  readonly peer: Address;
  readonly length: number;
  readonly mask: Address;
  readonly scope: number;
  /** An earlier one has the same network and mask. */
  readonly isSecondary: boolean;
  readonly broadcast: Address | undefined;
  readonly isDeprecated: boolean;
  readonly isTentative: boolean;
  readonly hasPrefixRoute: boolean;
}

export interface Interface {
  readonly name: string;
  readonly index: number;
  readonly isUp: boolean;
  readonly isLoopback: boolean;
  /** With Ethernet addresses. */
  readonly isEthernet: boolean;
  readonly mac: Uint8Array | undefined;
  readonly mtu: number;
  readonly master: string;
  readonly group: number;
  readonly ipv4: readonly InterfaceAddress[];
  readonly ipv6: readonly InterfaceAddress[];
  /** Groups it has joined; undefined: those that the kernel joins. */
  readonly multicast: ReadonlySet<Address> | undefined;
}

const withoutMac = new Set(['tun', 'loopback', 'ppp', 'wireguard', 'sit', 'ipip', 'gre', 'ip6tnl', 'none', 'can', 'xfrm', 'vti']);

export function readMac(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), byte => parseInt(byte, 16));
}

function familyOf(word: string): Family {
  return word.includes(':') ? 'ipv6' : 'ipv4';
}

function readScope(word: string | undefined, address: Address): number {
  const named = Object.entries(scopes).find(([name]) => name === word)?.[1] ?? readNumber(word);
  const isHost = typeof address === 'number' ? isLoopback4(address) : isLoopback6(address);
  return named ?? (isHost ? scopes.host : scopes.global);
}

/** One address as it is written; undefined where it is none. */
function readInterfaceAddress(given: string | HostAddress, before: readonly InterfaceAddress[]): InterfaceAddress | undefined {
  const all: HostAddress = typeof given === 'string' ? { address: given } : given;
  const family = familyOf(all.address);
  const prefix = readPrefix(all.address, family);
  if (prefix === undefined) return undefined;
  const [peerWord, peerLength] = all.peer?.split('/') ?? [];
  const peer = peerWord === undefined ? prefix.address : readAddress(peerWord, family) ?? prefix.address;
  const length = Math.min(readNumber(peerLength) ?? prefix.length, bitsOf(family));
  const mask = prefixMask(length, family);
  const network = maskAddress(peer, mask);
  return {
    local: prefix.address, peer, length, mask, scope: readScope(all.scope, prefix.address),
    isSecondary: all.secondary ?? (family === 'ipv4' && before.some(other => other.mask === mask && maskAddress(other.peer, mask) === network)),
    broadcast: all.broadcast === undefined ? undefined : readAddress(all.broadcast, family),
    isDeprecated: all.deprecated === true, isTentative: all.tentative === true, hasPrefixRoute: all.noprefixroute !== true,
  };
}

/** New IPv6 addresses go before older ones of the same or a narrower scope (ipv6_link_dev_addr()). */
function placeOf(address: InterfaceAddress, list: readonly InterfaceAddress[]): number {
  const behind = list.findIndex(other => scope6(address.local as bigint) >= scope6(other.local as bigint));
  return behind === -1 ? list.length : behind;
}

function readInterface(given: HostInterface, position: number, problems: string[]): Interface {
  const ipv4: InterfaceAddress[] = [], ipv6: InterfaceAddress[] = [];
  for (const one of given.addresses ?? []) {
    const word = typeof one === 'string' ? one : one.address;
    const list = familyOf(word) === 'ipv4' ? ipv4 : ipv6;
    const read = readInterfaceAddress(one, list);
    if (read === undefined) problems.push(`interface ${given.name}: \`${word}\` is not an address with a prefix length`);
    else if (list === ipv6 && typeof one === 'string') list.splice(placeOf(read, list), 0, read);
    else list.push(read);
  }
  const isLoopback = given.kind === 'loopback' || given.name === 'lo';
  return {
    name: given.name, index: given.index ?? position, isUp: given.up !== false, isLoopback,
    isEthernet: !isLoopback && !withoutMac.has(given.kind ?? 'ethernet'),
    mac: given.mac === undefined ? undefined : readMac(given.mac),
    mtu: given.mtu ?? (isLoopback ? 65536 : 1500), master: given.master ?? '', group: given.group ?? 0, ipv4, ipv6,
    multicast: given.multicast === undefined ? undefined : new Set(given.multicast.map(word => readAddress(word, familyOf(word)) ?? 0)),
  };
}

const loopback: HostInterface = { name: 'lo', index: 1, kind: 'loopback', mtu: 65536, addresses: ['127.0.0.1/8', '::1/128'] };

/** What the kernel adds by itself when an Ethernet interface comes up: its link-local address. Others get one by chance. */
export function withLinkLocal(given: HostInterface): HostInterface {
  const addresses = given.addresses ?? [];
  const has = addresses.some(one => (typeof one === 'string' ? one : one.address).toLowerCase().startsWith('fe80:'));
  if (has || given.mac === undefined || withoutMac.has(given.kind ?? 'ethernet')) return given;
  const groups = linkLocalOf(readMac(given.mac)).toString(16).match(/.{4}/gu) ?? [];
  return { ...given, addresses: [...addresses, `${groups.join(':')}/64`] };
}

/** All interfaces of a host by name, in the order of their indices; lo is always there. */
export class Interfaces {
  readonly all: readonly Interface[];
  /** What could not be read of them. */
  readonly problems: readonly string[];
  readonly #byName: ReadonlyMap<string, Interface>;
  readonly #owners = new Map<number | string, Interface>();

  constructor(given: readonly HostInterface[]) {
    const problems: string[] = [];
    const listed = given.some(one => one.name === 'lo') ? given : [loopback, ...given];
    this.all = listed.map((one, index) => readInterface(one, index + 1, problems)).sort((a, b) => a.index - b.index);
    this.problems = problems;
    this.#byName = new Map(this.all.map(one => [one.name, one]));
    for (const one of this.all) for (const { local } of [...one.ipv4, ...one.ipv6]) if (this.ownerOf(local) === undefined) this.#owners.set(addressKey(local), one);
  }

  get(name: string): Interface | undefined {
    return this.#byName.get(name);
  }

  isUp(name: string): boolean {
    return this.#byName.get(name)?.isUp === true;
  }

  mtuOf(name: string): number {
    return this.#byName.get(name)?.mtu ?? 1500;
  }

  /** @see inet_lookup_ifaddr_rcu() in net/ipv4/devinet.c: whose very address this is. */
  ownerOf(address: Address): Interface | undefined {
    return this.#owners.get(addressKey(address));
  }
}
