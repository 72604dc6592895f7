/** Routes and routing rules, as `ip route` and `ip rule` show them. */
import type { Address } from '../../values/address.js';

/** RTN_… of linux/rtnetlink.h from 1 on, in the words of `ip route`. */
export const routeTypes = ['unicast', 'local', 'broadcast', 'anycast', 'multicast', 'blackhole', 'unreachable', 'prohibit', 'throw'] as const;
export type RouteType = typeof routeTypes[number];

/** How far a route or an address reaches (RT_SCOPE_…): the larger, the nearer. */
export const scopes = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;

export interface NextHop {
  /** Name of the interface; '' of a route that leads nowhere (blackhole …), or where the gateway is to tell. */
  readonly device: string;
  /** The gateway, in the family of the route; undefined: on link. */
  readonly via: Address | undefined;
  /** From 1: its share among the others. */
  readonly weight: number;
}

export interface Route {
  readonly type: RouteType;
  readonly destination: Address;
  readonly length: number;
  /** `main`, `local`, `default`, a number, or a name of /etc/iproute2/rt_tables. */
  readonly table: string;
  /** 0 first. In IPv6 1024 where nothing is said. */
  readonly metric: number;
  /** 0: any. */
  readonly tos: number;
  readonly scope: number;
  /** `src`: what a local packet takes for its source. */
  readonly preferredSource: Address | undefined;
  /** 0: that of the interface. */
  readonly mtu: number;
  /** At least one; more of them: multipath. */
  readonly nextHops: readonly NextHop[];
  /** Who put it there: the kernel, for an address of an interface, or somebody. */
  readonly isKernels: boolean;
  /** IPv6 router preference (`pref`): low −1, medium 0, high 1. */
  readonly preference: number;
}

/** Both ends inclusive. */
export interface Span {
  readonly low: number;
  readonly high: number;
}

export interface Prefix {
  readonly address: Address;
  readonly length: number;
}

export type RuleAction =
  | { readonly kind: 'lookup'; readonly table: string }
  | { readonly kind: 'goto'; readonly priority: number }
  | { readonly kind: 'nop' | 'blackhole' | 'unreachable' | 'prohibit' };

/** What is undefined is not asked. */
export interface RoutingRule {
  readonly priority: number | undefined;
  readonly inverted: boolean;
  readonly from: Prefix | undefined;
  readonly to: Prefix | undefined;
  readonly mark: { readonly value: number; readonly mask: number } | undefined;
  readonly in: string | undefined;
  readonly out: string | undefined;
  /** The TOS byte; 0: any. */
  readonly tos: number;
  readonly protocol: number | undefined;
  readonly sport: Span | undefined;
  readonly dport: Span | undefined;
  readonly uids: Span | undefined;
  /** A route with a prefix of at most this length does not count. */
  readonly suppressLength: number | undefined;
  /** Nor one out of an interface of this group. */
  readonly suppressGroup: number | undefined;
  readonly action: RuleAction;
}

const wellKnownTables: Readonly<Record<string, string>> = { 255: 'local', 254: 'main', 253: 'default', 0: 'main', '0xff': 'local', '0xfe': 'main', '0xfd': 'default' };

/** One name for each table. */
export function tableName(word: string): string {
  return wellKnownTables[word] ?? word;
}
