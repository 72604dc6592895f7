/** Which of its IPv4 addresses a host uses. */
import type { Interface, InterfaceAddress, Interfaces } from './interfaces.js';
import { scopes } from './route.js';

function isOnLink(address: InterfaceAddress, destination: number): boolean {
  return ((destination ^ (address.peer as number)) & (address.mask as number)) === 0;
}

function ofInterface(one: Interface, destination: number, scope: number, farthestLocal: number): number {
  let first = 0;
  for (const address of one.ipv4) {
    if (address.isSecondary || Math.min(address.scope, farthestLocal) > scope) continue;
    if (destination === 0 || isOnLink(address, destination)) return address.local as number;
    if (first === 0) first = address.local as number;
  }
  return first;
}

/**
 * An address of the interface, best one in the network of `destination` (0: any), that reaches as far as `scope`; else one of
 * any interface; 0: there is none.
 * @see inet_select_addr() in net/ipv4/devinet.c
 */
export function selectAddress4(interfaces: Interfaces, name: string, destination: number, scope: number, routeLocalnet: boolean): number {
  const one = interfaces.get(name);
  const own = one === undefined ? 0 : ofInterface(one, destination, scope, routeLocalnet ? scopes.link : scopes.host);
  if (own !== 0) return own;
  for (const other of interfaces.all) {
    const address = other.ipv4.find(({ isSecondary, scope: reach }) => !isSecondary && reach !== scopes.link && reach <= scope);
    if (address !== undefined) return address.local as number;
  }
  return 0;
}
