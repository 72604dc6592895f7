/** Routing: where packets go, by the host's interfaces, addresses, routes, rules and switches. */
import type { Packet } from '../../packet/packet.js';
import type { AddressType } from '../../values/address-types.js';
import type { Address } from '../../values/address.js';
import { Problem, type Family } from '../../values/value.js';
import type { InputRoute, OutputRequest, OutputRoute, ReversePathOptions, Send } from './decision.js';
import type { FamilyRouting } from './family-routing.js';
import type { WordsOrJson } from './host.js';
import { checkInput, type InputDrop } from './input-checks.js';
import type { Interfaces } from './interfaces.js';
import { Ipv4Routing } from './ipv4-routing.js';
import { Ipv6Routing } from './ipv6-routing.js';
import { arriveOn, type Frame } from './link-layer.js';
import { readRoute } from './route-words.js';
import { RoutingPolicy } from './routing-policy.js';
import { RoutingTables } from './routing-tables.js';
import { readRule, ruleList } from './rule-words.js';
import type { Sysctls } from './sysctls.js';

export interface RoutingSetup {
  readonly family: Family;
  readonly interfaces: Interfaces;
  readonly sysctls: Sysctls;
  /** Words of `ip route`, or what `ip -j route` printed. Where the kernel's own are not among them, they are added. */
  readonly routes?: readonly WordsOrJson[];
  /** Words of `ip rule`, or what `ip -j rule` printed. */
  readonly rules?: readonly WordsOrJson[];
  /** Of the hash that chooses among several next hops. */
  readonly seed?: number;
}

export class Routing implements FamilyRouting {
  readonly interfaces: Interfaces;
  /** What could not be understood or used, for people. */
  readonly problems: readonly string[];
  readonly #family: FamilyRouting;
  readonly #sysctls: Sysctls;

  constructor({ family, interfaces, sysctls, routes = [], rules = [], seed = 0 }: RoutingSetup) {
    const problems: string[] = [...interfaces.problems];
    const understood = <T>(one: T | Problem): one is T => {
      if (one instanceof Problem) problems.push(one.message);
      return !(one instanceof Problem);
    };
    const read = routes.map(one => readRoute(one, family)).filter(understood);
    const policy = new RoutingPolicy(ruleList(rules, rules.map(one => readRule(one, family)).filter(understood), family), family, interfaces);
    const tables = new RoutingTables({ family, interfaces, sysctls, routes: read, isUnruled: !policy.isCustom });
    this.interfaces = interfaces;
    this.#sysctls = sysctls;
    this.problems = [...problems, ...tables.problems];
    this.#family = family === 'ipv4' ? new Ipv4Routing(tables, policy, interfaces, sysctls, seed) : new Ipv6Routing(tables, policy, interfaces, sysctls, seed);
  }

  /** The link layer hands it over: gives it MAC addresses and `linkType` by its interface, `packet.in`. */
  arriveOn(packet: Packet, frame: Frame): void { arriveOn(packet, this.interfaces.get(packet.in), frame); }
  /** What is dropped before PREROUTING; undefined: it goes on, and is as long as its header says. */
  checkInput(packet: Packet): InputDrop | undefined { return checkInput(packet, this.interfaces, this.#sysctls); }
  input(packet: Packet): InputRoute { return this.#family.input(packet); }
  output(request: OutputRequest): OutputRoute { return this.#family.output(request); }
  /** Whether this host is among those whom the route leads to. @see __mkroute_output() in net/ipv4/route.c, ip6_finish_output2() in net/ipv6/ip6_output.c */
  isForUsToo({ type, out }: Send, destination: Address): boolean {
    if (out === 'lo' || this.interfaces.get(out)?.isLoopback === true) return false;
    return type === 'broadcast' || (type === 'multicast' && this.isJoined(out, destination));
  }
  reroute(packet: Packet): OutputRoute { return this.#family.reroute(packet); }
  addressTypes(address: Address, device?: string): ReadonlySet<AddressType> { return this.#family.addressTypes(address, device); }
  isJoined(device: string, group: Address): boolean { return this.#family.isJoined(device, group); }
  reversePath(packet: Packet, options: ReversePathOptions): boolean { return this.#family.reversePath(packet, options); }
  sourceAddress(device: string, nextHop: Address): Address | undefined { return this.#family.sourceAddress(device, nextHop); }
  /** 0 where nothing is said. */
  interfaceGroup(name: string): number { return this.interfaces.get(name)?.group ?? 0; }
  /** 0 where there is no such interface. */
  interfaceIndex(name: string): number { return this.interfaces.get(name)?.index ?? 0; }
}
