/** Where a packet comes from, when its author does not say. */
import type { HostSetup } from '../engine.js';
import type { HostAddress } from '../host/host.js';
import { contains, readAddress, readPrefix } from '../host/prefix.js';
import { readRoute } from '../host/route-words.js';
import type { ScenarioPacket } from '../scenario.js';
import { Problem, type Family } from '../../values/value.js';

function words(given: string | HostAddress): string {
  return typeof given === 'string' ? given : given.address;
}

interface Way {
  readonly device: string;
  readonly length: number;
}

/** Ways back to the source: connected networks, and routes of the main table. */
function* waysTo(source: number | bigint, family: Family, { interfaces = [], routes = [] }: HostSetup): Generator<Way, void> {
  for (const { name, addresses = [] } of interfaces) {
    for (const prefix of addresses.map(given => readPrefix(words(given), family))) if (prefix !== undefined && contains(prefix, source, family)) yield { device: name, length: prefix.length };
  }
  for (const route of routes.map(route => readRoute(route, family))) {
    if (route instanceof Problem || route.table !== 'main') continue;
    const device = route.nextHops[0]?.device ?? '';
    if (device !== '' && contains({ address: route.destination, length: route.length }, source, family)) yield { device, length: route.length };
  }
}

function isOwn(source: number | bigint, family: Family, { interfaces = [] }: HostSetup): boolean {
  return interfaces.some(({ addresses = [] }) => addresses.some(given => readAddress(words(given).split('/', 1)[0] ?? '', family) === source));
}

/**
 * `local` where the source is an address of the host; else the interface by which the longest prefix leads back to the
 * source; else the first interface. Policy routing is left out.
 */
export function arrivalOf(packet: ScenarioPacket, family: Family, setup: HostSetup): string {
  const source = packet.src === undefined ? undefined : readAddress(packet.src, family);
  if (source !== undefined && isOwn(source, family, setup)) return 'local';
  const ways = source === undefined ? [] : [...waysTo(source, family, setup)].sort((a, b) => b.length - a.length);
  return ways[0]?.device ?? setup.interfaces?.find(({ name }) => name !== 'lo')?.name ?? 'local';
}
