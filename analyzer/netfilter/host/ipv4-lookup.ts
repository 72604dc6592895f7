/** Lookups in the tables of IPv4. */
import type { Fib } from './fib.js';
import { failureOf, type Failure, type Flow, type Found, type Lookup } from './flow.js';
import type { NextHop, Route } from './route.js';
import type { RoutingPolicy } from './routing-policy.js';
import type { RoutingTables } from './routing-tables.js';

/** The first hop that the flow's interface allows. */
function hopFor(route: Route, out: string): NextHop | undefined {
  return out === '' ? route.nextHops[0] : route.nextHops.find(hop => hop.device === out);
}

/** @see fib_table_lookup() in net/ipv4/fib_trie.c */
function lookupTable(table: Fib, flow: Flow): Lookup {
  const destination = flow.destination as number;
  for (const { mask, routes } of table.buckets) {
    const list = routes.get((destination & (mask as number)) >>> 0);
    if (list === undefined) continue;
    for (const route of list) {
      if (route.tos !== 0 && route.tos !== (flow.tos & 0x1c)) continue;
      const failure = failureOf(route);
      if (failure === 'throw') return undefined;
      if (failure !== undefined) return failure;
      const hop = hopFor(route, flow.out);
      if (hop !== undefined) return { route, hop };
    }
  }
  return undefined;
}

export class Ipv4Lookup {
  readonly policy: RoutingPolicy;
  readonly #tables: RoutingTables;
  readonly #find: (table: string, flow: Flow) => Lookup;

  constructor(tables: RoutingTables, policy: RoutingPolicy) {
    this.#tables = tables;
    this.policy = policy;
    this.#find = (name, flow) => {
      const table = tables.table(name);
      return table === undefined ? undefined : lookupTable(table, flow);
    };
  }

  get hasCustomLocalRoutes(): boolean {
    return this.#tables.hasCustomLocalRoutes;
  }

  /** @see fib_lookup() in include/net/ip_fib.h */
  lookup(flow: Flow): Found | Failure {
    return this.policy.lookup(flow, this.#find);
  }

  /** The local table alone, as address types are found. */
  lookupLocal(flow: Flow): Lookup {
    return this.#find('local', flow);
  }
}
