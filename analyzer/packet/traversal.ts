/**
 * A packet at a rule: what the concrete meaning of a match or target may look at and do.
 * Matches and targets are compiled once for each rule of a host (`defineMatch({ matches })`, `defineTarget({ apply })`);
 * what they must remember between packets lives in their closure, or, where the kernel keeps it under a name, in `world.shared`.
 */
import type { AddressType } from '../values/address-types.js';
import type { Backend, Family } from '../values/value.js';
import type { Connection, Tuple } from './connection.js';
import type { Packet } from './packet.js';
import type { IpSets } from './ip-sets.js';

export type HookName = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

/** What a target answers. */
export const Verdict = {
  /** The next rule (XT_CONTINUE). */
  Continue: 0,
  Accept: 1,
  Drop: 2,
  Return: 3,
  Queue: 4,
  /** Somebody else has it now (NF_STOLEN): SYNPROXY. */
  Stolen: 5,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Does the packet match? `!` is the match's own business. */
export type Predicate = (t: Traversal) => boolean;
export type Action = (t: Traversal) => Verdict;

export interface Traversal {
  readonly packet: Packet;
  readonly table: string;
  readonly hook: HookName;
  readonly world: World;
  /** A match sets it and answers false: the packet is dropped on the spot (`par->hotdrop`). */
  hotdrop: boolean;
  /** Why the kernel decided as it did where a rule's text does not say it; shown to people. */
  note(text: string): void;
  /** What cannot be known offline: answers as the user asked to assume, and records that it mattered here. */
  unknown(why: string): boolean;
}

/** A NAT mapping that a target asks for (`struct nf_nat_range2`). Absent addresses or ports: left as they are. */
export interface NatRange {
  readonly side: 'source' | 'destination';
  readonly minAddress?: number | bigint;
  readonly maxAddress?: number | bigint;
  readonly minPort?: number;
  readonly maxPort?: number;
  /** Of a shifted port map (`--to-destination 10.0.0.1:5000-5010/4000`). */
  readonly basePort?: number;
  readonly random?: boolean;
  readonly randomFully?: boolean;
  readonly persistent?: boolean;
  /** NETMAP: keep the host's bits; then minAddress is the network and this its mask. */
  readonly netmapMask?: number | bigint;
}

/** `--reject-with`, in the words of iptables: `icmp-port-unreachable`, `tcp-reset`, `icmp6-adm-prohibited` … */
export type RejectKind = string;

/** A socket of the host. */
export interface Socket {
  /** IP_TRANSPARENT; undefined: nobody says. */
  readonly isTransparent: boolean | undefined;
  /** It takes packets to all addresses of the host. */
  readonly isWildcard: boolean;
  /** It is that of the flow, and not one that listens. */
  readonly isConnected: boolean;
}

/** The host around the rules. */
export interface World {
  readonly family: Family;
  readonly backend: Backend;
  readonly sets: IpSets;
  /** Seconds since the scenario began; moves only by `advance`. */
  readonly now: number;
  /** Seconds since 1970-01-01 UTC at that moment. */
  readonly wallClock: number;
  /** Offset of the host's time zone from UTC in seconds (`-m time --kerneltz`). */
  readonly timeZoneOffset: number;
  /** 0 ≤ x < 1, from the scenario's seed; the answer lists `why` under `chance`. */
  random(why: string): number;
  /** State that the kernel keeps under a name and shares between rules, as `recent` lists. */
  shared<T extends object>(kind: string, name: string, make: () => T): T;
  /** @see inet_addr_type_table(), ipv6_addr_type(): how the routing tables see the address; with an interface, limited to it. */
  addressTypes(address: number | bigint, interfaceName?: string): ReadonlySet<AddressType>;
  /** Whether the way back to the source leaves by the packet's own interface (xt_rpfilter). */
  reversePath(packet: Packet, options: { readonly loose: boolean; readonly validMark: boolean; readonly acceptLocal: boolean }): boolean;
  /** The interface's group, `net.core` device group; 0 where nothing is said. */
  interfaceGroup(name: string): number;
  /** The bridge or VRF it belongs to, if any. */
  interfaceIndex(name: string): number;
  /** An address of the interface to masquerade behind towards `destination`; undefined: none (the packet is dropped). */
  sourceAddress(interfaceName: string, destination: number | bigint): number | bigint | undefined;
  /** All addresses of the interface, in the order in which the kernel lists them: REDIRECT takes the first that fits. */
  interfaceAddresses?(interfaceName: string): readonly (number | bigint)[];
  /** The socket that a packet would reach; `unknown` where nobody says who listens on the host. */
  findSocket(packet: Packet): Socket | 'unknown' | undefined;
  /** All connections of the table, confirmed and alive. */
  connections(): Iterable<Connection>;
  /** The live, confirmed connection one of whose tuples this is, in the zone. */
  findConnection(tuple: Tuple, zone: number): Connection | undefined;
  /** The packet's own tuple, as it is now (nf_ct_get_tuplepr); undefined where it has none. */
  tupleOf(packet: Packet): Tuple | undefined;
  /** CT and NOTRACK targets. */
  template(t: Traversal, template: CtTemplate): void;
  /** nf_nat_setup_info(): translate this connection. */
  nat(t: Traversal, range: NatRange): Verdict;
  /** Tell the sender of the packet that is at a rule, if the host may; `info` is the word behind the checksum. */
  icmpError(type: number, code: number, info: number): void;
  /** Send what REJECT sends; the caller drops the packet. */
  reject(t: Traversal, kind: RejectKind): void;
  /** The smaller MTU of the two ways that a packet goes, there and back (TCPMSS --clamp-mss-to-pmtu). */
  pathMtu(packet: Packet): number;
  /** TEE: send a copy to the gateway, out of the interface where one is given. */
  duplicate(t: Traversal, gateway: number | bigint, interfaceName: string | undefined): void;
  /** A sysctl as a number (`net.netfilter.nf_conntrack_acct`), the kernel's default where none is given. */
  sysctl(name: string): number;
}

/** What `-j CT` attaches to a packet before it is tracked (`nf_ct_tmpl_alloc`). */
export interface CtTemplate {
  readonly notrack?: boolean;
  readonly zone?: { readonly id: number | 'mark'; readonly direction: 'both' | 'original' | 'reply' };
  readonly helper?: string;
  readonly timeoutPolicy?: string;
}
