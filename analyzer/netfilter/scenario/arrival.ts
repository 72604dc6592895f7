/** Where a packet comes from, when its author does not say. */
import type { HostSetup } from '../engine.js';
import type { HostAddress, HostInterface } from '../host/host.js';
import { contains, readAddress, readPrefix } from '../host/prefix.js';
import type { Prefix } from '../host/route.js';
import { readRoute } from '../host/route-words.js';
import type { ScenarioPacket } from '../scenario.js';
import type { Address } from '../../values/address.js';
import { Problem, type Family } from '../../values/value.js';

function words(given: string | HostAddress): string {
  return typeof given === 'string' ? given : given.address;
}

/** A network, and the interface by which it is reached. */
export interface Way {
  readonly device: string;
  readonly prefix: Prefix;
}

/** Where networks are, the smallest first: those of the addresses, and the routes of the main table. */
export function waysOf(family: Family, { interfaces = [], routes = [] }: HostSetup): readonly Way[] {
  const connected = interfaces.flatMap(({ name, addresses = [] }) => addresses.flatMap(given => {
    const prefix = readPrefix(words(given), family);
    return prefix === undefined ? [] : [{ device: name, prefix }];
  }));
  const routed = routes.flatMap(given => {
    const route = readRoute(given, family);
    const device = route instanceof Problem || route.table !== 'main' ? '' : route.nextHops[0]?.device ?? '';
    return route instanceof Problem || device === '' ? [] : [{ device, prefix: { address: route.destination, length: route.length } }];
  });
  return [...connected, ...routed].sort((a, b) => b.prefix.length - a.prefix.length);
}

/** The addresses of an interface, as numbers. */
export function ownAddresses({ addresses = [] }: HostInterface, family: Family): readonly Address[] {
  return addresses.flatMap(given => readAddress(words(given).split('/', 1)[0] ?? '', family) ?? []);
}

/**
 * `local` where the source is an address of the host; else the interface by which the longest prefix leads back to the
 * source; else the first interface. Policy routing is left out.
 */
export function arrivalOf(packet: ScenarioPacket, family: Family, setup: HostSetup): string {
  const source = packet.src === undefined ? undefined : readAddress(packet.src, family);
  if (source !== undefined && setup.interfaces?.some(one => ownAddresses(one, family).includes(source)) === true) return 'local';
  const way = source === undefined ? undefined : waysOf(family, setup).find(({ prefix }) => contains(prefix, source, family));
  return way?.device ?? setup.interfaces?.find(({ name }) => name !== 'lo')?.name ?? 'local';
}
