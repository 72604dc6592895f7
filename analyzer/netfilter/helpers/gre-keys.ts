/** Which GRE call id answers which: PPTP agrees on them in its control connection. @see gre_keymap_lookup() in net/netfilter/nf_conntrack_proto_gre.c */
import type { Connection, Tuple } from '../../packet/connection.js';

/** The tuples of a call's data, there and back. */
export type CallWays = readonly [Tuple, Tuple];

export class GreKeys {
  readonly #keys = new Map<string, number>();
  readonly #byMaster = new Map<Connection, CallWays>();

  /** False where the control connection has a call already, another one. */
  add(master: Connection, ways: CallWays): boolean {
    const known = this.#byMaster.get(master);
    if (known !== undefined) return known.every((way, index) => nameOf(way) === nameOf(ways[index] ?? way));
    this.#byMaster.set(master, ways);
    for (const way of ways) this.#keys.set(nameOf(way), way.sport);
    return true;
  }

  /** The source key of a packet with these addresses and destination key; 0 where nobody spoke of it. */
  lookup(tuple: Tuple): number {
    return this.#keys.size === 0 ? 0 : this.#keys.get(nameOf(tuple)) ?? 0;
  }

  /** What the call was, if there was one. */
  forget(master: Connection): CallWays | undefined {
    const ways = this.#byMaster.get(master);
    for (const way of ways ?? []) this.#keys.delete(nameOf(way));
    this.#byMaster.delete(master);
    return ways;
  }
}

function nameOf({ src, dst, dport }: Tuple): string {
  return `${String(src)} ${String(dst)} ${String(dport)}`;
}
