/** Everything that the IPv4 tables are asked. */
import type { Packet } from '../../packet/packet.js';
import type { AddressType } from '../../values/address-types.js';
import type { Address } from '../../values/address.js';
import { isLimitedBroadcast, isLocalMulticast4, isMulticast4, isZeroNet } from './address-kind.js';
import type { InputRoute, OutputRequest, OutputRoute, ReversePathOptions } from './decision.js';
import type { FamilyRouting } from './family-routing.js';
import type { Interfaces } from './interfaces.js';
import { Ipv4Input } from './ipv4-input.js';
import { Ipv4Lookup } from './ipv4-lookup.js';
import { flowOf, Ipv4Output } from './ipv4-output.js';
import { scopes, type RouteType } from './route.js';
import type { RoutingPolicy } from './routing-policy.js';
import type { RoutingTables } from './routing-tables.js';
import { selectAddress4 } from './source-address4.js';
import type { Sysctls } from './sysctls.js';

const only = (type: AddressType): ReadonlySet<AddressType> => new Set([type]);
const unicast = only('UNICAST'), broadcast = only('BROADCAST'), multicast = only('MULTICAST');
const ofRoutes: Readonly<Partial<Record<RouteType, ReadonlySet<AddressType>>>> = { local: only('LOCAL'), broadcast, anycast: only('ANYCAST'), multicast };

export class Ipv4Routing implements FamilyRouting {
  readonly #lookup: Ipv4Lookup;
  readonly #interfaces: Interfaces;
  readonly #sysctls: Sysctls;
  readonly #input: Ipv4Input;
  readonly #output: Ipv4Output;

  constructor(tables: RoutingTables, policy: RoutingPolicy, interfaces: Interfaces, sysctls: Sysctls, seed: number) {
    this.#lookup = new Ipv4Lookup(tables, policy);
    this.#interfaces = interfaces;
    this.#sysctls = sysctls;
    this.#input = new Ipv4Input(this.#lookup, interfaces, sysctls, seed);
    this.#output = new Ipv4Output(this.#lookup, interfaces, sysctls, seed);
  }

  input(packet: Packet): InputRoute {
    return this.#input.input(packet);
  }

  output(request: OutputRequest): OutputRoute {
    return this.#output.output(request);
  }

  /** @see ip_route_me_harder() in net/ipv4/netfilter.c: rules that ask for ports see none here. */
  reroute(packet: Packet): OutputRoute {
    const source = packet.u32(12), type = this.#addressType(source, undefined);
    const isUsable = type === unicast || type === ofRoutes.local;
    return this.#output.output({
      ...isUsable && { src: source }, dst: packet.u32(16), mark: packet.mark, tos: packet.u8(1), uid: packet.owner?.uid ?? 0, anySource: isUsable,
    });
  }

  addressTypes(address: Address, device?: string): ReadonlySet<AddressType> {
    return this.#addressType(Number(address), device);
  }

  /** @see __inet_dev_addr_type() in net/ipv4/fib_frontend.c */
  #addressType(address: number, device: string | undefined): ReadonlySet<AddressType> {
    if (isZeroNet(address) || isLimitedBroadcast(address)) return broadcast;
    if (isMulticast4(address)) return multicast;
    const found = this.#lookup.lookupLocal({ ...flowOf({ dst: address }), in: '' });
    if (found === undefined || 'kind' in found) return unicast;
    return device === undefined || device === found.hop.device ? ofRoutes[found.route.type] ?? unicast : unicast;
  }

  isJoined(device: string, group: number): boolean {
    return this.#input.isJoined(device, group);
  }

  /** @see rpfilter_mt() in net/ipv4/netfilter/ipt_rpfilter.c */
  reversePath(packet: Packet, { loose, validMark, acceptLocal }: ReversePathOptions): boolean {
    if (this.#interfaces.get(packet.in)?.isLoopback === true || packet.linkType === 'loopback') return true;
    const source = packet.u32(12), destination = packet.u32(16);
    const isUnicast = !isMulticast4(destination) && !isLimitedBroadcast(destination) && !isZeroNet(destination);
    if (isZeroNet(source) && (isLimitedBroadcast(destination) || isLocalMulticast4(destination))) return true;
    const found = this.#lookup.lookup(flowOf({ src: isUnicast ? destination : 0, dst: source, mark: validMark ? packet.mark : 0, tos: packet.u8(1) }));
    if ('kind' in found) return false;
    const { type, nextHops } = found.route;
    if (type !== 'unicast' && !(type === 'local' && acceptLocal)) return false;
    return loose || nextHops.some(hop => hop.device === packet.in);
  }

  /** @see nf_nat_masquerade_ipv4() in net/netfilter/nf_nat_masquerade.c */
  sourceAddress(device: string, nextHop: Address): Address | undefined {
    const address = selectAddress4(this.#interfaces, device, Number(nextHop), scopes.global, this.#sysctls.device4(device).routeLocalnet);
    return address === 0 ? undefined : address;
  }
}
