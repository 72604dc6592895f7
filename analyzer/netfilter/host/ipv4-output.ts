/** By which way a local IPv4 packet leaves, and with which source. */
import type { Address } from '../../values/address.js';
import { isLimitedBroadcast, isLocalMulticast4, isLoopback4, isMulticast4, isZeroNet } from './address-kind.js';
import { drop, type OutputRequest, type OutputRoute, type RoutingDrop, type Send } from './decision.js';
import type { Flow, Found } from './flow.js';
import type { Interfaces } from './interfaces.js';
import type { Ipv4Lookup } from './ipv4-lookup.js';
import { multipathChance, selectHop } from './multipath.js';
import { scopes, type NextHop, type Route } from './route.js';
import { selectAddress4 } from './source-address4.js';
import type { Sysctls } from './sysctls.js';

const igmp = 2;
const loopbackAddress = 0x7f00_0001;

const foreignSource = drop('invalid source', 'the source is none of our addresses');
const badSource = drop('invalid source', 'no packet may have such a source');
const badDestination = drop('no route', 'the destination is 0.0.0.0/8');
const interfaceDown = drop('no route', 'the interface is down or not there');
const loopbackLeaves = drop('martian', 'a loopback address would leave the host');

/** Without a route, the kernel takes the destination to be on the link. */
interface Chosen {
  readonly hop: NextHop;
  readonly route: Route | undefined;
  readonly source: number;
}

export class Ipv4Output {
  readonly #lookup: Ipv4Lookup;
  readonly #interfaces: Interfaces;
  readonly #sysctls: Sysctls;
  readonly #seed: number;

  constructor(lookup: Ipv4Lookup, interfaces: Interfaces, sysctls: Sysctls, seed: number) {
    this.#lookup = lookup;
    this.#interfaces = interfaces;
    this.#sysctls = sysctls;
    this.#seed = seed;
  }

  /** @see ip_route_output_key_hash_rcu() in net/ipv4/route.c */
  output(request: OutputRequest): OutputRoute {
    const flow = flowOf(request);
    const wrong = this.#checkSource(flow, request.anySource === true);
    if (wrong !== undefined) return wrong;
    const destination = flow.destination as number;
    if (flow.out !== '') {
      if (!this.#interfaces.isUp(flow.out)) return interfaceDown;
      if (isLocalMulticast4(destination) || isLimitedBroadcast(destination) || flow.protocol === igmp) return this.#make(flow, this.#onLink(flow, scopes.link));
      if (flow.source === 0 && isMulticast4(destination)) flow.source = this.#select(flow.out, 0, scopes.global);
    }
    if (destination === 0) return this.#toOurselves(flow);
    const found = this.#lookup.lookup(flow);
    if ('kind' in found) return flow.out === '' ? drop(found.reason, undefined, found.ipv4) : this.#make(flow, this.#onLink(flow, scopes.link));
    return found.route.type === 'local' ? this.#makeLocal(flow, found.route) : this.#make(flow, this.#choose(flow, found));
  }

  #checkSource(flow: Flow, anySource: boolean): RoutingDrop | undefined {
    const source = flow.source as number;
    if (source === 0) return undefined;
    if (isMulticast4(source) || isLimitedBroadcast(source) || isZeroNet(source)) return badSource;
    const owner = this.#localDevice(source);
    const destination = flow.destination as number;
    if (flow.out === '' && (isMulticast4(destination) || isLimitedBroadcast(destination))) {
      if (owner === undefined) return foreignSource;
      flow.out = owner;
    }
    return anySource || owner !== undefined ? undefined : foreignSource;
  }

  /** @see __ip_dev_find() in net/ipv4/devinet.c */
  #localDevice(address: number): string | undefined {
    const owner = this.#interfaces.ownerOf(address);
    if (owner !== undefined) return owner.name;
    const found = this.#lookup.lookupLocal({ ...flowOf({ dst: address }), in: '' });
    return found !== undefined && !('kind' in found) && found.route.type === 'local' ? found.hop.device : undefined;
  }

  #select(device: string, destination: number, scope: number): number {
    return selectAddress4(this.#interfaces, device, destination, scope, this.#sysctls.device4(device).routeLocalnet);
  }

  #onLink(flow: Flow, scope: number): Chosen {
    const source = flow.source === 0 ? this.#select(flow.out, 0, scope) : flow.source as number;
    return { hop: { device: flow.out, via: undefined, weight: 1 }, route: undefined, source };
  }

  /** @see fib_select_path() */
  #choose(flow: Flow, { route, hop }: Found): Chosen {
    const source = flow.source as number;
    const ownAddress = (of: NextHop): Address => this.#select(of.device, (of.via ?? 0) as number, route.scope);
    const chosen = flow.out !== '' ? hop : selectHop(route, source, flow.destination, this.#seed, source === 0 ? undefined : ownAddress);
    return { hop: chosen, route, source: source === 0 ? Number(route.preferredSource ?? ownAddress(chosen)) : source };
  }

  #toOurselves(flow: Flow): Send {
    const address = flow.source === 0 ? loopbackAddress : flow.source;
    return { kind: 'send', out: 'lo', source: address, mtu: this.#interfaces.mtuOf('lo'), type: 'local' };
  }

  #makeLocal(flow: Flow, route: Route): OutputRoute {
    const source = flow.source === 0 ? route.preferredSource ?? flow.destination : flow.source;
    return { kind: 'send', out: 'lo', source, mtu: this.#interfaces.mtuOf('lo'), type: 'local' };
  }

  /** @see __mkroute_output(): broadcasts have no gateway, and multicasts none that is not meant for them. */
  #make(flow: Flow, chosen: Chosen): OutputRoute {
    const destination = flow.destination as number, { source } = chosen;
    const isBroadcast = isLimitedBroadcast(destination) || chosen.route?.type === 'broadcast', isGroup = isMulticast4(destination);
    const route = isBroadcast || (isGroup && (chosen.route?.length ?? 0) < 4) ? undefined : chosen.route;
    const hop = route === undefined ? { ...chosen.hop, via: undefined } : chosen.hop;
    const device = this.#interfaces.get(hop.device);
    if (isLoopback4(source) && device?.isLoopback !== true && !this.#sysctls.device4(hop.device).routeLocalnet) return loopbackLeaves;
    if (isZeroNet(destination)) return badDestination;
    return {
      kind: 'send', out: hop.device, source, type: isBroadcast ? 'broadcast' : isGroup ? 'multicast' : 'unicast', mtu: route === undefined || route.mtu === 0 ? this.#interfaces.mtuOf(hop.device) : route.mtu,
      ...hop.via !== undefined && { via: hop.via },
      ...route !== undefined && route.nextHops.length > 1 && flow.out === '' && { chance: multipathChance },
    };
  }
}

export function flowOf({ src, dst, mark = 0, out = '', uid = 0, tos = 0, protocol = 0, sport = 0, dport = 0 }: OutputRequest): Flow {
  return { source: src ?? (typeof dst === 'number' ? 0 : 0n), destination: dst, in: 'lo', out, mark, tos, protocol, sport, dport, uid };
}
