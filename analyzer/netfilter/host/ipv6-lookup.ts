/** Lookups in the tables of IPv6. */
import { addressKey, maskAddress } from '../../values/address.js';
import type { Fib } from './fib.js';
import { failureOf, type Failure, type Flow, type Found, type Lookup } from './flow.js';
import type { Interfaces } from './interfaces.js';
import type { NextHop, Route } from './route.js';
import type { RoutingPolicy } from './routing-policy.js';
import type { RoutingTables } from './routing-tables.js';

export interface Strictness {
  /** The interface that is preferred: where it came in, or is to go out; '' for none. */
  readonly device: string;
  /** No other will do (RT6_LOOKUP_F_IFACE). */
  readonly strict: boolean;
}

interface Best {
  route: Route;
  hop: NextHop;
  score: number;
}

/** @see rt6_score_route() in net/ipv6/route.c: the router preference counts more than the interface. */
function scoreOf(route: Route, hop: NextHop, { device, strict }: Strictness): number {
  const fits = device === '' || hop.device === device;
  return fits || !strict ? (route.preference + 2) * 4 + (fits ? 2 : 0) : -1;
}

/** Among the routes of the smallest metric that has a usable one, the first with the best score. @see find_rr_leaf() */
function select(routes: readonly Route[], strictness: Strictness): Best | undefined {
  let best: Best | undefined;
  for (const route of routes) {
    if (best !== undefined && route.metric > best.route.metric) break;
    for (const hop of route.nextHops) {
      const score = scoreOf(route, hop, strictness);
      if (score > (best?.score ?? -1)) best = { route, hop, score };
    }
  }
  return best;
}

/** As rpfilter asks: the interface is looked for among all routes of a prefix, whatever their metrics. @see rt6_device_match() */
function matchDevice(routes: readonly Route[], { device, strict }: Strictness): Best | undefined {
  const [first] = routes;
  for (const route of routes) for (const hop of route.nextHops) if (device === '' || hop.device === device) return { route, hop, score: 0 };
  const hop = first?.nextHops[0];
  return strict || first === undefined || hop === undefined ? undefined : { route: first, hop, score: 0 };
}

export type Choice = (routes: readonly Route[], strictness: Strictness) => Best | undefined;

/** @see fib6_table_lookup(): where the longest prefix has nothing usable, the next shorter one is tried. */
function lookupTable(table: Fib, flow: Flow, strictness: Strictness, choose: Choice): Lookup {
  for (const { mask, routes } of table.buckets) {
    const list = routes.get(addressKey(maskAddress(flow.destination, mask)));
    const best = list === undefined ? undefined : choose(list, strictness);
    if (best === undefined) continue;
    const failure = failureOf(best.route);
    return failure === 'throw' ? undefined : failure ?? best;
  }
  return undefined;
}

export class Ipv6Lookup {
  readonly policy: RoutingPolicy;
  readonly #tables: RoutingTables;
  readonly interfaces: Interfaces;

  constructor(tables: RoutingTables, policy: RoutingPolicy, interfaces: Interfaces) {
    this.#tables = tables;
    this.policy = policy;
    this.interfaces = interfaces;
  }

  /** @see fib6_rule_lookup() in net/ipv6/fib6_rules.c with ip6_pol_route() */
  lookup(flow: Flow, strictness: Strictness, choose: Choice = select): Found | Failure {
    return this.policy.lookup(flow, (name, asked) => {
      const table = this.#tables.table(name);
      return table === undefined ? undefined : lookupTable(table, asked, strictness, choose);
    });
  }

  /** @see ip6_route_lookup() */
  lookupByDevice(flow: Flow, strictness: Strictness): Found | Failure {
    return this.lookup(flow, strictness, matchDevice);
  }
}
