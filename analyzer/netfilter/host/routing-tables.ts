/** All routing tables of a host for one family: those of its addresses, and those that were added. */
import { addressKey, maskAddress, prefixMask, type Address } from '../../values/address.js';
import type { Family } from '../../values/value.js';
import { Fib } from './fib.js';
import type { Interface, InterfaceAddress, Interfaces } from './interfaces.js';
import { anyAddress, bitsOf, contains } from './prefix.js';
import { scopes, type NextHop, type Route, type RouteType } from './route.js';
import type { Sysctls } from './sysctls.js';

type Some = Pick<Route, 'type' | 'destination' | 'length'> & Partial<Route>;

function kernelRoute(device: string, given: Some): Route {
  return {
    table: given.type === 'unicast' ? 'main' : 'local', metric: 0, tos: 0, scope: scopes.link, preferredSource: undefined, mtu: 0,
    nextHops: [{ device, via: undefined, weight: 1 }], isKernels: true, preference: 0, ...given,
  };
}

/** @see fib_add_ifaddr() in net/ipv4/fib_frontend.c */
function* routesOfAddress4(one: Interface, address: InterfaceAddress): Iterable<Route> {
  const { local, length, mask, broadcast, isSecondary } = address;
  const network = maskAddress(address.peer, mask);
  const primary = one.ipv4.find(other => !other.isSecondary && other.mask === mask && maskAddress(other.peer, mask) === network);
  const preferredSource = isSecondary ? primary?.local ?? local : local;
  yield kernelRoute(one.name, { type: 'local', destination: local, length: 32, scope: scopes.host, preferredSource });
  if (!one.isUp) return;
  const broadcastRoute = (destination: Address): Route => kernelRoute(one.name, { type: 'broadcast', destination, length: 32, preferredSource });
  if (broadcast !== undefined && broadcast !== 0xffff_ffff) yield broadcastRoute(broadcast);
  if (Number(network) >>> 24 === 0 || isSecondary || (network === local && length === 32)) return;
  if (address.hasPrefixRoute) {
    const type: RouteType = one.isLoopback ? 'local' : 'unicast';
    yield kernelRoute(one.name, { type, destination: network, length, scope: one.isLoopback ? scopes.host : scopes.link, preferredSource });
  }
  if (length < 31) yield broadcastRoute((Number(network) | ~Number(mask)) >>> 0);
}

/** @see addrconf_prefix_route(), addrconf_join_anycast() and init_loopback() in net/ipv6/addrconf.c */
function* routesOfInterface6(one: Interface, sysctls: Sysctls): Iterable<Route> {
  const { disabled, forwarding } = sysctls.device6(one.name);
  if (!one.isUp || disabled) return;
  for (const { local, peer, length, mask, hasPrefixRoute, isTentative } of one.ipv6) {
    const network = maskAddress(peer, mask);
    if (!isTentative) yield kernelRoute(one.name, { type: 'local', destination: local, length: 128, metric: 0 });
    if (one.isLoopback || network === 0n) continue;
    if (hasPrefixRoute) yield kernelRoute(one.name, { type: 'unicast', destination: network, length, metric: 256 });
    if (forwarding && length < 127) yield kernelRoute(one.name, { type: 'anycast', destination: network, length: 128, metric: 0 });
  }
  if (!one.isLoopback) yield kernelRoute(one.name, { type: 'multicast', destination: 0xffn << 120n, length: 8, metric: 256 });
}

function* kernelRoutes(family: Family, interfaces: Interfaces, sysctls: Sysctls): Iterable<Route> {
  for (const one of interfaces.all) {
    if (family === 'ipv6') yield* routesOfInterface6(one, sysctls);
    else for (const address of one.ipv4) yield* routesOfAddress4(one, address);
  }
}

/** What the tables are made from. */
export interface TableSetup {
  readonly family: Family;
  readonly interfaces: Interfaces;
  readonly routes: readonly Route[];
  readonly sysctls: Sysctls;
  /** Nobody has changed the rules by which tables are asked. */
  readonly isUnruled: boolean;
}

export class RoutingTables {
  /** What cannot be used of the routes, and why. */
  readonly problems: string[] = [];
  /** Somebody put in local routes (`fib_has_custom_local_routes`). */
  readonly hasCustomLocalRoutes: boolean;
  readonly #tables = new Map<string, Fib>();
  readonly #setup: TableSetup;

  constructor(setup: TableSetup) {
    this.#setup = setup;
    const { family, interfaces, routes, sysctls, isUnruled } = setup;
    if (family === 'ipv4' && isUnruled) this.#makeOne('local', 'main');
    const isWhole = routes.some(route => route.isKernels && route.table === 'local');
    if (!isWhole) for (const route of kernelRoutes(family, interfaces, sysctls)) this.#insert(route);
    for (const route of routes) {
      const usable = this.#usable(route);
      if (usable !== undefined) this.#insert(usable);
    }
    this.hasCustomLocalRoutes = routes.some(route => route.type === 'local' && !route.isKernels);
  }

  table(name: string): Fib | undefined {
    return this.#tables.get(name);
  }

  /** As long as nobody adds a rule, two tables of IPv4 are one: the longest prefix wins in both together. @see fib_trie_table(), fib_unmerge() in net/ipv4 */
  #makeOne(...names: readonly string[]): void {
    const both = new Fib();
    for (const name of names) this.#tables.set(name, both);
  }

  #insert(route: Route): void {
    let table = this.#tables.get(route.table);
    if (table === undefined) this.#tables.set(route.table, table = new Fib());
    table.insert(route, this.#setup.family);
  }

  /** The route with the interface of each gateway, without hops by interfaces that are down or not there. */
  #usable(route: Route): Route | undefined {
    const isNowhere = route.nextHops.length === 1 && (route.type === 'blackhole' || route.type === 'unreachable' || route.type === 'prohibit' || route.type === 'throw');
    if (isNowhere) return route;
    const nextHops = route.nextHops.map(hop => this.#withDevice(hop)).filter(hop => hop !== undefined);
    return nextHops.length === 0 ? undefined : { ...route, nextHops };
  }

  #withDevice(hop: NextHop): NextHop | undefined {
    const { interfaces } = this.#setup;
    const device = hop.device === '' ? this.#deviceTowards(hop.via) : hop.device;
    if (device === undefined) this.problems.push('a gateway is on none of the networks of the interfaces');
    else if (interfaces.get(device) === undefined) this.problems.push(`there is no interface ${device}`);
    if (device === undefined || !interfaces.isUp(device)) return undefined;
    // A gateway that is the interface itself means: on the link (fib_check_nh_v4_gw(), rt_set_nexthop()).
    const isSelf = interfaces.get(device)?.ipv4.some(({ local }) => local === hop.via) === true;
    return { ...hop, device, via: isSelf ? undefined : hop.via };
  }

  /** @see fib_check_nh() in net/ipv4/fib_semantics.c: by which interface a gateway is reached. */
  #deviceTowards(via: Address | undefined): string | undefined {
    const { family, interfaces } = this.#setup;
    if (via === undefined) return undefined;
    const isOn = (one: Interface): boolean => one[family].some(({ peer, length }) => contains({ address: peer, length }, via, family));
    return interfaces.all.find(one => one.isUp && isOn(one))?.name ?? this.#routedDevice(via);
  }

  #routedDevice(via: Address): string | undefined {
    const bits = bitsOf(this.#setup.family);
    const buckets = this.#tables.get('main')?.buckets ?? [];
    for (const { length, routes } of buckets) {
      const mask = prefixMask(Math.min(length, bits), this.#setup.family);
      const hop = routes.get(addressKey(maskAddress(via, mask)))?.find(route => route.table === 'main')?.nextHops[0];
      if (hop?.via === undefined && hop !== undefined && via !== anyAddress(this.#setup.family)) return hop.device;
    }
    return undefined;
  }
}
