/** Everything that the IPv6 tables are asked. */
import type { Packet } from '../../packet/packet.js';
import type { AddressType } from '../../values/address-types.js';
import type { Address } from '../../values/address.js';
import { isBoundToInterface, isLinkLocal6, isLoopback6, isMapped4, isMulticast6, solicitedNode } from './address-kind.js';
import { deliver, drop, type Forward, type InputRoute, type OutputRequest, type OutputRoute, type ReversePathOptions, type RoutingDrop } from './decision.js';
import type { FamilyRouting } from './family-routing.js';
import { dissect, type Flow, type Found } from './flow.js';
import type { Interfaces } from './interfaces.js';
import { flowOf } from './ipv4-output.js';
import { Ipv6Lookup } from './ipv6-lookup.js';
import { multipathChance, selectHop } from './multipath.js';
import type { NextHop, Route } from './route.js';
import type { RoutingPolicy } from './routing-policy.js';
import type { RoutingTables } from './routing-tables.js';
import { selectAddress6 } from './source-address6.js';
import type { Sysctls } from './sysctls.js';

/** ff01::1, ff02::1: all nodes; and, on routers, ff01::2, ff02::2, ff05::2. */
const allNodes = new Set([(0xff01n << 112n) | 1n, (0xff02n << 112n) | 1n]);
const allRouters = new Set([(0xff01n << 112n) | 2n, (0xff02n << 112n) | 2n, (0xff05n << 112n) | 2n]);

const forwardingOff = drop('ip_forward', 'it is not for us, and we do not forward');
const layer2Broadcast = drop('link-layer broadcast', 'a multicast of the link layer is not forwarded');
const notJoined = drop('multicast', 'nobody here has joined the group');
const unforwardable = drop('invalid source', 'such a source address is not forwarded');
const linkLocalSource = drop('scope', 'a link-local source does not leave its link', { type: 1, code: 2 });
const noSource = drop('no route', 'there is no address to send from');

export class Ipv6Routing implements FamilyRouting {
  readonly #lookup: Ipv6Lookup;
  readonly #interfaces: Interfaces;
  readonly #sysctls: Sysctls;
  readonly #seed: number;

  constructor(tables: RoutingTables, policy: RoutingPolicy, interfaces: Interfaces, sysctls: Sysctls, seed: number) {
    this.#lookup = new Ipv6Lookup(tables, policy, interfaces);
    this.#interfaces = interfaces;
    this.#sysctls = sysctls;
    this.#seed = seed;
  }

  /** @see ip6_route_input() in net/ipv6/route.c, ip6_mc_input(), ip6_forward() */
  input(packet: Packet): InputRoute {
    const destination = packet.u128(24);
    const flow: Flow = { source: packet.u128(8), destination, in: packet.in, out: '', mark: packet.mark, tos: packet.tos, protocol: 0, sport: 0, dport: 0, uid: 0 };
    if (this.#lookup.policy.asksPorts) dissect(flow, packet);
    const found = this.#lookup.lookup(flow, { device: packet.in, strict: isBoundToInterface(destination) });
    if ('kind' in found) return drop(found.reason, undefined, found.ipv6);
    if (found.route.type === 'local') return deliver.local;
    // The subnet's anycast address is that of routers.
    if (found.route.type === 'anycast') return this.#sysctls.device6(found.hop.device).forwarding ? deliver.local : forwardingOff;
    if (isMulticast6(destination)) return this.isJoined(packet.in, destination) ? deliver.multicast : notJoined;
    return this.#forward(packet, flow, found);
  }

  /** @see ipv6_chk_mcast_addr() in net/ipv6/mcast.c */
  isJoined(name: string, group: bigint): boolean {
    const device = this.#interfaces.get(name);
    if (device?.multicast !== undefined) return device.multicast.has(group);
    if (allNodes.has(group)) return true;
    if (allRouters.has(group)) return this.#sysctls.device6(name).forwarding;
    return device?.ipv6.some(({ local }) => solicitedNode(local as bigint) === group) === true;
  }

  /** @see ip6_forward() in net/ipv6/ip6_output.c. A hop limit that is used up goes before the last two questions: that is left to whoever counts it down. */
  #forward(packet: Packet, flow: Flow, { route }: Found): Forward | RoutingDrop {
    if (this.#sysctls.get('net.ipv6.conf.all.forwarding') === 0 && !this.#sysctls.device6(packet.in).forceForwarding) return forwardingOff;
    if (packet.linkType === 'broadcast' || packet.linkType === 'multicast') return layer2Broadcast;
    const hop = selectHop(route, flow.source, flow.destination, this.#seed);
    const isRedirected = hop.device === packet.in;
    const refused = packet.ttl > 1 && !isRedirected ? checkForwardedSource(flow.source as bigint) : undefined;
    return refused ?? {
      kind: 'forward', out: hop.device, mtu: this.#mtu(route, hop), ...hop.via !== undefined && { via: hop.via },
      ...isRedirected && { redirect: true }, ...route.nextHops.length > 1 && { chance: multipathChance },
    };
  }

  #mtu(route: Route, hop: NextHop): number {
    return Math.max(1280, route.mtu === 0 ? this.#interfaces.mtuOf(hop.device) : route.mtu);
  }

  /** @see ip6_route_output_flags(), ip6_dst_lookup_tail() */
  output(request: OutputRequest): OutputRoute {
    const flow = flowOf(request);
    const destination = flow.destination as bigint;
    const found = this.#lookup.lookup(flow, { device: flow.out, strict: isBoundToInterface(destination) || (flow.out !== '' && flow.source === 0n) });
    if ('kind' in found) return drop(found.reason, undefined, found.ipv6);
    const { route } = found;
    const isLocal = route.type === 'local' || route.type === 'anycast';
    const hop = flow.out !== '' || isLocal || isMulticast6(destination) ? found.hop : selectHop(route, flow.source, destination, this.#seed);
    const source = flow.source !== 0n ? flow.source : route.preferredSource ?? this.sourceAddress(hop.device, destination);
    if (source === undefined) return noSource;
    if (isLocal) return { kind: 'send', out: 'lo', source, mtu: this.#interfaces.mtuOf('lo'), type: 'local' };
    return {
      kind: 'send', out: hop.device, source, mtu: this.#mtu(route, hop), type: isMulticast6(destination) ? 'multicast' : 'unicast',
      ...hop.via !== undefined && { via: hop.via }, ...route.nextHops.length > 1 && flow.out === '' && { chance: multipathChance },
      ...route.preferredSource !== undefined && { isPreferredSource: true },
    };
  }

  /** @see ip6_route_me_harder() in net/ipv6/netfilter.c: what means something on one interface only stays on it. */
  reroute(packet: Packet): OutputRoute {
    const dst = packet.u128(24);
    const isStrict = isMulticast6(dst) || isLinkLocal6(dst);
    return this.output({ src: packet.u128(8), dst, mark: packet.mark, tos: packet.tos, uid: packet.owner?.uid ?? 0, ...isStrict && { out: packet.out } });
  }

  /**
   * All that is true of it: MULTICAST, UNICAST or UNSPEC by its bits; LOCAL, ANYCAST, UNREACHABLE by the tables.
   * @see match_type6(), match_lookup_rt6() in net/netfilter/xt_addrtype.c
   */
  addressTypes(address: Address, device = ''): ReadonlySet<AddressType> {
    const value = BigInt(address);
    const types = new Set<AddressType>();
    if (value === 0n) types.add('UNSPEC');
    else if (isMulticast6(value)) types.add('MULTICAST');
    else if (!isMapped4(value)) types.add('UNICAST');
    if (device !== '' && this.#interfaces.get(device)?.ipv6.some(({ local }) => local === value) === true) types.add('LOCAL');
    const found = this.#lookup.lookup(flowOf({ dst: value, out: device }), { device, strict: isBoundToInterface(value) || device !== '' });
    if ('kind' in found) types.add('UNREACHABLE');
    else if (found.route.type === 'anycast') types.add('ANYCAST');
    else if (found.route.type === 'local' && device === '') types.add('LOCAL');
    return types;
  }

  /** @see rpfilter_mt(), rpfilter_lookup_reverse6() in net/ipv6/netfilter/ip6t_rpfilter.c */
  reversePath(packet: Packet, { loose, validMark, acceptLocal }: ReversePathOptions): boolean {
    if (this.#interfaces.get(packet.in)?.isLoopback === true || packet.linkType === 'loopback') return true;
    const source = packet.u128(8), destination = packet.u128(24);
    if (source === 0n) return true;
    const strict = isLinkLocal6(source), out = strict || !loose ? packet.in : '';
    const flow = flowOf({ ...!isMulticast6(destination) && { src: destination }, dst: source, mark: validMark ? packet.mark : 0, tos: packet.tos, out, protocol: packet.u8(6) });
    const found = this.#lookup.lookupByDevice(flow, { device: out, strict });
    if ('kind' in found || found.route.type === 'anycast') return false;
    if (found.route.type === 'local') return acceptLocal;
    return loose || found.hop.device === packet.in;
  }

  sourceAddress(device: string, destination: Address): Address | undefined {
    return selectAddress6(this.#interfaces, device, BigInt(destination), this.#sysctls.device6(device).useOutInterfaceAddressesOnly);
  }

}

function checkForwardedSource(source: bigint): RoutingDrop | undefined {
  if (source === 0n || isMulticast6(source) || isLoopback6(source)) return unforwardable;
  return isLinkLocal6(source) ? linkLocalSource : undefined;
}
