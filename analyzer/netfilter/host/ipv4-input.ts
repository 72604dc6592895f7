/** Where an IPv4 packet that came in goes: ip_rcv_finish_core() and ip_route_input_rcu(). */
import type { Packet } from '../../packet/packet.js';
import { isLimitedBroadcast, isLocalMulticast4, isLoopback4, isMulticast4, isZeroNet } from './address-kind.js';
import { deliver, drop, type Forward, type InputRoute, type RoutingDrop } from './decision.js';
import { dissect, type Failure, type Flow, type Found } from './flow.js';
import type { Interfaces } from './interfaces.js';
import { checkOptions } from './ip-options.js';
import type { Ipv4Lookup } from './ipv4-lookup.js';
import { multipathChance, selectHop } from './multipath.js';
import type { NextHop } from './route.js';
import type { DeviceSwitches4, Sysctls } from './sysctls.js';

const igmp = 2;
const allHosts = 0xe000_0001;

const invalidSource = drop('martian', 'no host has such a source address');
const localSource = drop('martian', 'the source is one of our own addresses');
const broadcastSource = drop('martian', 'the source is a broadcast, multicast or unusable address');
const loopbackSource = drop('martian', 'the source is a loopback address');
const loopbackDestination = drop('martian', 'the destination is a loopback address');
const invalidDestination = drop('martian', 'no host has such a destination address');
const reversePath = drop('rp_filter', 'the way back to the source does not leave by the interface it came in by');
const forwardingOff = drop('ip_forward', 'it is not for us, and we do not forward');
const notJoined = drop('multicast', 'nobody here has joined the group');
const layer2Broadcast = drop('link-layer broadcast', 'a broadcast of the link layer is not forwarded');
const layer2Unicast = drop('link-layer broadcast', 'one host is meant, but it came as a broadcast of the link layer');

export class Ipv4Input {
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

  /** @see ip_rcv_finish_core() in net/ipv4/ip_input.c; of ip_forward() the first question. */
  input(packet: Packet): InputRoute {
    const device = this.#sysctls.device4(packet.in);
    const decision = this.#route(packet, device);
    const isRefused = decision.kind === 'drop' && (decision.reason === 'martian' || decision.reason === 'rp_filter' || decision.reason === 'multicast');
    if (isRefused) return decision;
    const wrong = packet.u8(0) > 0x45 ? checkOptions(packet, decision.kind, device.acceptSourceRoute) : undefined;
    if (wrong !== undefined) return wrong;
    const isWide = packet.linkType === 'broadcast' || packet.linkType === 'multicast';
    if (!isWide || decision.kind === 'broadcast' || decision.kind === 'multicast') return decision;
    if (device.dropUnicastInLayer2Multicast) return layer2Unicast;
    return decision.kind === 'forward' ? layer2Broadcast : decision;
  }

  #route(packet: Packet, device: DeviceSwitches4): InputRoute {
    const source = packet.u32(12), destination = packet.u32(16);
    if (isMulticast4(destination)) return this.#multicast(packet, source, destination, device);
    if (isMulticast4(source) || isLimitedBroadcast(source)) return broadcastSource;
    if (isLimitedBroadcast(destination) || (isZeroNet(source) && isZeroNet(destination))) return this.#broadcast(packet, source, device);
    if (isZeroNet(source)) return invalidSource;
    if (isZeroNet(destination)) return invalidDestination;
    if (!device.routeLocalnet && isLoopback4(destination)) return loopbackDestination;
    if (!device.routeLocalnet && isLoopback4(source)) return loopbackSource;
    return this.#unicast(packet, source, destination, device);
  }

  /** @see ip_route_input_slow() in net/ipv4/route.c */
  #unicast(packet: Packet, source: number, destination: number, device: DeviceSwitches4): InputRoute {
    const flow = this.#flow(packet, source, destination);
    flow.mark = packet.mark;
    if (this.#lookup.policy.asksPorts) dissect(flow, packet);
    const found = this.#lookup.lookup(flow);
    if ('kind' in found) return failed(found, device);
    if (found.route.type === 'broadcast') return device.broadcastForwarding ? this.#forward(packet, source, destination, found, device) : this.#broadcast(packet, source, device);
    if (found.route.type === 'local') return this.#validateSource(packet, source, destination, '', device) ?? deliver.local;
    if (!device.forwarding) return forwardingOff;
    return found.route.type === 'unicast' ? this.#forward(packet, source, destination, found, device) : invalidDestination;
  }

  #flow(packet: Packet, source: number, destination: number): Flow {
    return { source, destination, in: packet.in, out: '', mark: 0, tos: packet.u8(1), protocol: 0, sport: 0, dport: 0, uid: 0 };
  }

  /** @see ip_mkroute_input(), __mkroute_input() */
  #forward(packet: Packet, source: number, destination: number, { route }: Found, device: DeviceSwitches4): Forward | RoutingDrop {
    const hop = selectHop(route, source, destination, this.#seed);
    const refused = this.#validateSource(packet, source, destination, hop.device, device);
    if (refused !== undefined) return refused;
    return {
      kind: 'forward', out: hop.device, mtu: route.mtu === 0 ? this.#interfaces.mtuOf(hop.device) : route.mtu,
      ...hop.via !== undefined && { via: hop.via },
      ...this.#isRedirected(packet, source, hop, device) && { redirect: true },
      ...route.nextHops.length > 1 && { chance: multipathChance },
    };
  }

  /** Sender and gateway are on the link that both packets go by. */
  #isRedirected(packet: Packet, source: number, hop: NextHop, device: DeviceSwitches4): boolean {
    if (hop.device !== packet.in || !device.sendRedirects) return false;
    const onLink = this.#interfaces.get(hop.device)?.ipv4.some(({ peer, mask }) => ((source ^ (peer as number)) & (mask as number)) === 0);
    return onLink === true;
  }

  #broadcast(packet: Packet, source: number, device: DeviceSwitches4): InputRoute {
    return (isZeroNet(source) ? undefined : this.#validateSource(packet, source, 0, '', device)) ?? deliver.broadcast;
  }

  /** @see ip_check_mc_rcu() in net/ipv4/igmp.c */
  isJoined(device: string, group: number): boolean {
    return group === allHosts || this.#interfaces.get(device)?.multicast?.has(group) === true;
  }

  /** @see ip_route_input_rcu(), ip_mc_validate_source() */
  #multicast(packet: Packet, source: number, destination: number, device: DeviceSwitches4): InputRoute {
    if (!this.isJoined(packet.in, destination)) return notJoined;
    if (isMulticast4(source) || isLimitedBroadcast(source)) return broadcastSource;
    if (isLoopback4(source) && !device.routeLocalnet) return loopbackSource;
    if (!isZeroNet(source)) return this.#validateSource(packet, source, 0, '', device) ?? deliver.multicast;
    return isLocalMulticast4(destination) || packet.protocol === igmp ? deliver.multicast : invalidSource;
  }

  /** May a packet from there come in here? undefined: yes. @see fib_validate_source() in net/ipv4/fib_frontend.c */
  #validateSource(packet: Packet, source: number, destination: number, out: string, device: DeviceSwitches4): RoutingDrop | undefined {
    if (device.rpFilter === 0 && !(out === packet.in && device.sendRedirects)) {
      if (device.acceptLocal) return undefined;
      if (!this.#lookup.hasCustomLocalRoutes && !this.#lookup.policy.isCustom) return this.#interfaces.ownerOf(source) === undefined ? undefined : localSource;
    }
    return this.#validateFully(packet, source, destination, out, device);
  }

  /** @see __fib_validate_source() */
  #validateFully(packet: Packet, source: number, destination: number, out: string, device: DeviceSwitches4): RoutingDrop | undefined {
    const flow = this.#flow(packet, destination, source);
    flow.in = out === '' ? 'lo' : out;
    flow.mark = device.markInReversePath ? packet.mark : 0;
    if (this.#lookup.policy.asksPorts) {
      dissect(flow, packet);
      [flow.sport, flow.dport] = [flow.dport, flow.sport];
    }
    const found = this.#lookup.lookup(flow);
    if ('kind' in found) return device.rpFilter === 0 ? undefined : reversePath;
    const { type, nextHops } = found.route;
    if (type === 'local' && !device.acceptLocal) return localSource;
    if (type !== 'local' && type !== 'unicast') return broadcastSource;
    const isIn = nextHops.some(hop => hop.device === packet.in) || (type === 'local' && packet.in === 'lo');
    if (isIn) return undefined;
    const hasNoAddress = (this.#interfaces.get(packet.in)?.ipv4.length ?? 0) === 0;
    return (hasNoAddress ? device.rpFilter !== 0 : device.rpFilter === 1) ? reversePath : undefined;
  }
}

/** Only a router tells the sender (ip_error()). */
function failed({ reason, ipv4 }: Failure, device: DeviceSwitches4): RoutingDrop {
  return drop(reason, undefined, device.forwarding ? ipv4 : undefined);
}
