/** What the rules of a host may ask it: the parts of the engine behind the one face that matches and targets know. */
import type { Use } from '../extensions/use.js';
import { isOpaque, type Ruleset } from '../model/ruleset.js';
import { Connection, ctstatus, type Tuple } from '../packet/connection.js';
import { ctstates } from '../packet/constraint.js';
import type { IpSets } from '../packet/ip-sets.js';
import type { Packet } from '../packet/packet.js';
import type { CtTemplate, HookName, NatRange, RejectKind, Traversal, Verdict, World } from '../packet/traversal.js';
import type { AddressType } from '../values/address-types.js';
import type { Backend, Family } from '../values/value.js';
import type { CompiledChain } from './tables/compiled-rule.js';
import { compileTable, type CompiledTable } from './tables/compile-table.js';
import { isLinkLocal6 } from './host/address-kind.js';
import type { OutputRoute } from './host/decision.js';
import { Conntrack } from './conntrack/conntrack.js';
import { Defragmenter } from './fragments/fragments.js';
import { expectedNat, Helpers } from './helpers/helpers.js';
import type { HostState } from './host-state.js';
import type { HostSocket } from './host/host.js';
import { LocalSockets } from './host/local-sockets.js';
import type { Routing } from './host/routing.js';
import type { Way } from './journey.js';
import { Nat } from './nat/nat.js';
import { TableTraversal, type Recorder } from './tables/traverse.js';

/** IP_MAX_MTU */
const mostMtu = 65_535;

export interface StackParts {
  readonly ruleset: Ruleset;
  readonly state: HostState;
  readonly routing: Routing;
  readonly sets: IpSets;
  readonly sockets: readonly HostSocket[] | undefined;
}

/** What the rules switch on. */
interface SwitchedOn {
  readonly tracking: boolean;
  readonly accounting: boolean;
  readonly defragmentation: boolean;
}

const switches = new WeakMap<Ruleset, SwitchedOn>();

/** Without a rule that asks for it, a kernel does not track connections, and so has no nat either. */
function switchedOn(ruleset: Ruleset): SwitchedOn {
  let known = switches.get(ruleset);
  if (known === undefined) switches.set(ruleset, known = switchedOnBy(ruleset));
  return known;
}

function switchedOnBy({ tables }: Ruleset): SwitchedOn {
  const asked = new Set<ReturnType<typeof tracksOf>>();
  for (const { chains } of tables.values()) {
    for (const { rules } of chains.values()) {
      for (const { matches, target } of rules) {
        for (const use of matches) if (!isOpaque(use)) asked.add(tracksOf(use));
        if (target.kind === 'extension') asked.add(tracksOf(target.use));
      }
    }
  }
  const tracking = asked.has(true) || asked.has('accounting');
  return { tracking, accounting: asked.has('accounting'), defragmentation: tracking || asked.has('fragments') };
}

function tracksOf({ definition: { tracks }, given }: Use): boolean | 'accounting' | 'fragments' | undefined {
  return typeof tracks === 'function' ? tracks(given) : tracks;
}

export abstract class StackWorld implements World {
  readonly family: Family;
  readonly backend: Backend;
  readonly sets: IpSets;
  readonly routing: Routing;
  readonly conntrack: Conntrack;
  readonly isTracking: boolean;
  readonly isDefragmenting: boolean;
  readonly isTranslating: boolean;
  protected readonly translator: Nat;
  protected readonly helpers: Helpers;
  protected readonly defragmenter: Defragmenter;
  protected readonly sockets: LocalSockets;
  readonly #state: HostState;
  readonly #ruleset: Ruleset;
  #tables: ReadonlyMap<string, CompiledTable> = new Map();
  #template: CtTemplate | undefined;
  /** What rules behind `-j CT` see in raw: a connection without addresses (nf_ct_tmpl_alloc()). */
  readonly #templateSeen: Connection;

  constructor({ ruleset, state, routing, sets, sockets }: StackParts) {
    this.family = ruleset.family;
    this.backend = ruleset.backend;
    this.sets = sets;
    this.routing = routing;
    this.#state = state;
    this.#ruleset = ruleset;
    const { tracking, accounting, defragmentation } = switchedOn(ruleset);
    this.isTracking = tracking;
    this.isDefragmenting = defragmentation;
    if (accounting) state.sysctls.set({ 'net.netfilter.nf_conntrack_acct': 1 });
    this.isTranslating = this.isTracking && ruleset.tables.has('nat');
    const nobody = this.family === 'ipv4' ? 0 : 0n;
    const nothing: Tuple = { src: nobody, dst: nobody, protocol: 0, sport: 0, dport: 0 };
    this.#templateSeen = new Connection(nothing, nothing);
    this.#templateSeen.status = ctstatus.CONFIRMED;
    this.conntrack = new Conntrack(this);
    this.translator = new Nat(this);
    this.helpers = new Helpers(this);
    this.defragmenter = new Defragmenter(this);
    this.sockets = new LocalSockets(sockets, this.family, address => this.addressTypes(address).has('LOCAL'));
    this.conntrack.greKeys = tuple => this.helpers.greKey(tuple);
    this.conntrack.onNew = (_, connection) => this.#isExpected(connection);
    this.conntrack.onRemove = connection => { this.helpers.forget(connection); };
  }

  /** Connections that were there before: what they are translated to stands in their tuples. */
  adoptConnections(): void {
    if (this.isTranslating) for (const connection of this.conntrack.connections()) this.translator.adopt(connection);
  }

  /** A helper foretold this connection: it is related to the one that the helper watches, and translated as that one is. */
  #isExpected(connection: Connection): boolean {
    const expectation = this.helpers.expected(connection.original, connection.zones[0]);
    if (expectation === undefined) return false;
    this.helpers.adopt(connection, expectation);
    for (const range of expectedNat(expectation)) this.translator.setupConnection(connection, range);
    return true;
  }

  /** Of the packet that is at a rule. */
  protected abstract readonly way: Way | undefined;
  abstract reject(t: Traversal, kind: RejectKind): void;
  abstract duplicate(t: Traversal, gateway: number | bigint, interfaceName: string | undefined): void;
  abstract icmpError(type: number, code: number, info: number): void;

  /** Once everything that rules may ask stands. */
  protected compile(): void {
    this.#tables = new Map([...this.#ruleset.tables].map(([name, table]) => [name, compileTable(table, this)]));
  }

  /** x_tables knows every hook of a table that is loaded; nft only the chains that the file has. */
  protected baseChain(table: string, hook: HookName): CompiledChain | undefined {
    const compiled = this.#tables.get(table)?.get(hook);
    if (compiled?.chain.hook === undefined) return undefined;
    return this.backend === 'legacy' || compiled.chain.line > 0 || compiled.chain.rules.length > 0 ? compiled : undefined;
  }

  protected traverse(chain: CompiledChain, hook: HookName, packet: Packet, recorder: Recorder): Verdict {
    return new TableTraversal(packet, chain.table, hook, this, recorder).run(chain);
  }

  protected takeTemplate(packet?: Packet): CtTemplate | undefined {
    if (packet?.connection === this.#templateSeen) packet.connection = undefined;
    const template = this.#template;
    this.#template = undefined;
    return template;
  }

  /** Where the host's own packets to an address come from. */
  sourceTowards(destination: number | bigint): number | bigint | undefined {
    const route = this.routing.output({ dst: destination });
    return route.kind === 'drop' ? undefined : route.source;
  }

  /** IPv6 prefers an address of the interface that the packet came by, and does not answer anycast addresses. @see icmp6_send() in net/ipv6/icmp.c, __icmp_send() in net/ipv4/icmp.c */
  answerSource(cause: Packet): number | bigint | undefined {
    const route = this.answerRoute(cause);
    if (route.kind === 'drop' || (this.family === 'ipv6' && this.addressTypes(cause.src).has('ANYCAST'))) return undefined;
    const seenAs = this.addressTypes(cause.dst);
    // ::1 is an address of lo and of nothing else (ipv6_chk_addr()).
    const isElsewhere = cause.dst === 1n && cause.in !== 'lo' && cause.in !== '';
    if ((seenAs.has('LOCAL') && !isElsewhere) || seenAs.has('ANYCAST')) return cause.dst;
    if (this.family === 'ipv4' && (cause.in === '' || this.sysctl('net.ipv4.icmp_errors_use_inbound_ifaddr') === 0)) return route.source;
    if (this.family === 'ipv6' && route.isPreferredSource === true) return route.source;
    return this.routing.sourceAddress(cause.in === '' ? 'lo' : cause.in, cause.src) ?? route.source;
  }

  /** The way back to the sender of a packet that is answered by an ICMP error. An address of the link leads out by where the packet came from. */
  protected answerRoute({ src, in: name }: Packet): OutputRoute {
    const isOfLink = typeof src === 'bigint' && isLinkLocal6(src) && name !== '';
    return this.routing.output({ dst: src, ...isOfLink && { out: name } });
  }

  get now(): number { return this.#state.now; }
  get wallClock(): number { return this.#state.wallClock; }
  get timeZoneOffset(): number { return this.#state.timeZoneOffset; }
  random(why: string): number { return this.#state.random(why); }
  sysctl(name: string): number { return this.#state.sysctls.get(name); }
  shared<T extends object>(kind: string, name: string, make: () => T): T { return this.#state.shared(kind, name, make); }

  addressTypes(address: number | bigint, interfaceName?: string): ReadonlySet<AddressType> { return this.routing.addressTypes(address, interfaceName); }
  reversePath(packet: Packet, options: Parameters<World['reversePath']>[1]): boolean { return this.routing.reversePath(packet, options); }

  /** IPv4 asks for an address near the next hop, IPv6 near the destination. @see nf_nat_masquerade_ipv4(), nf_nat_masquerade_ipv6() */
  sourceAddress(interfaceName: string, destination: number | bigint): number | bigint | undefined {
    return this.routing.sourceAddress(interfaceName, this.family === 'ipv4' ? this.way?.via ?? destination : destination);
  }

  /** @see tcpmss_mangle_packet(), tcpmss_reverse_mtu() in net/netfilter/xt_TCPMSS.c */
  pathMtu({ src }: Packet): number {
    const back = this.routing.output({ dst: src });
    return Math.min(this.way?.mtu ?? mostMtu, back.kind === 'drop' ? mostMtu : back.mtu, mostMtu);
  }

  interfaceGroup(name: string): number { return this.routing.interfaceGroup(name); }

  /** IPv6 lists the newest address first, those of the whole world before those of the link (ipv6_link_dev_addr()). */
  interfaceAddresses(name: string): readonly (number | bigint)[] {
    const addresses = this.routing.interfaces.get(name)?.[this.family] ?? [];
    const ordered = this.family === 'ipv4' ? addresses : [...addresses].reverse().sort((a, b) => a.scope - b.scope);
    return ordered.map(one => one.local);
  }

  interfaceIndex(name: string): number { return this.routing.interfaceIndex(name); }
  findSocket(packet: Packet): ReturnType<World['findSocket']> { return this.sockets.find(packet); }

  connections(): Iterable<Connection> { return this.conntrack.connections(); }
  findConnection(tuple: Tuple, zone: number): Connection | undefined { return this.conntrack.findConnection(tuple, zone); }
  tupleOf(packet: Packet): Tuple | undefined { return this.conntrack.tupleOf(packet); }

  /** @see xt_ct_target(), notrack_tg() in net/netfilter/xt_CT.c: what is tracked already is left alone, and so is the host's answer to an untracked packet, for it is marked as related to something. */
  template({ packet }: Traversal, template: CtTemplate): void {
    if (packet.connection !== undefined || packet.ctstate === ctstates.UNTRACKED || packet.isAnswerToUntracked) return;
    if (template.notrack === true) {
      packet.ctstate = ctstates.UNTRACKED;
      return;
    }
    const { helper, ...rest } = template;
    this.#template = helper !== undefined && Helpers.fits(helper, packet.protocol, this.family) ? template : rest;
    packet.connection = this.#templateSeen;
    packet.ctstate = ctstates.NEW;
  }

  /** A helper heard that the connection is over. */
  endConnection(tuple: Tuple, zone: number): void {
    const connection = this.conntrack.findConnection(tuple, zone);
    if (connection !== undefined) this.conntrack.remove(connection);
  }

  /** The mask of the interface's network whose broadcast address this is. */
  broadcastMask(interfaceName: string, address: number | bigint): number | undefined {
    const found = this.routing.interfaces.get(interfaceName)?.ipv4.find(one => one.broadcast === address);
    return found === undefined ? undefined : Number(found.mask);
  }

  nat({ packet, hook }: Traversal, range: NatRange): Verdict {
    return this.translator.setup(packet, range, hook === 'FORWARD' ? 'POSTROUTING' : hook);
  }
}
