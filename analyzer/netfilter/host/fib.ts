/** A routing table: the longest prefix wins. */
import { addressKey, prefixMask, type Address } from '../../values/address.js';
import type { Family } from '../../values/value.js';
import type { Route } from './route.js';

/** All routes with prefixes of one length, by their network. */
export interface Bucket {
  readonly length: number;
  readonly mask: Address;
  /** By `addressKey`, in the order in which they are tried. */
  readonly routes: Map<number | string, Route[]>;
}

/** @see fib_find_alias() in net/ipv4/fib_trie.c: where two tables are one, `local` goes first; a TOS goes before none; then the smaller metric, then who came first. */
function goesBefore(one: Route, other: Route): boolean {
  if (one.table !== other.table) return one.table === 'local';
  return one.tos === other.tos ? one.metric < other.metric : one.tos > other.tos;
}

export class Fib {
  /** Longest prefixes first. */
  readonly buckets: Bucket[] = [];

  insert(route: Route, family: Family): void {
    const routes = this.#routesAt(route, family);
    const behind = routes.findIndex(other => goesBefore(route, other));
    routes.splice(behind === -1 ? routes.length : behind, 0, route);
  }

  #routesAt({ destination, length }: Route, family: Family): Route[] {
    let bucket = this.buckets.find(one => one.length === length);
    if (bucket === undefined) {
      bucket = { length, mask: prefixMask(length, family), routes: new Map() };
      this.buckets.push(bucket);
      this.buckets.sort((a, b) => b.length - a.length);
    }
    const key = addressKey(destination);
    const known = bucket.routes.get(key);
    if (known !== undefined) return known;
    const made: Route[] = [];
    bucket.routes.set(key, made);
    return made;
  }
}
