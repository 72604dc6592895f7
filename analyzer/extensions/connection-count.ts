/** What `-m connlimit` counts: the connections that packets of one address or network were seen of. */
import type { Connection, Tuple } from '../packet/connection.js';
import type { World } from '../packet/traversal.js';

interface Counted {
  readonly tuple: Tuple;
  readonly zone: number;
}

/** CONNCOUNT_GC_MAX_NODES: when so many were dropped at once, the rest waits for the next packet. */
const dropsAtOnce = 8;

/** @see already_closed() in net/netfilter/nf_conncount.c */
function isClosed({ protocolStateName: state, original }: Connection): boolean {
  return original.protocol === 6 && (state === 'TIME_WAIT' || state === 'CLOSE');
}

function isSame(one: Counted, tuple: Tuple, zone: number): boolean {
  const other = one.tuple;
  return other.src === tuple.src && other.dst === tuple.dst && other.sport === tuple.sport && other.dport === tuple.dport
    && other.protocol === tuple.protocol && one.zone === zone;
}

/**
 * Lists of connections by address. What ended is dropped from a list when a packet of its address comes, and addresses
 * that have no connection any more when there are many.
 */
export class ConnectionCount {
  readonly #world: World;
  readonly #lists = new Map<number | bigint | string, Counted[]>();
  #sweepAt = 1024;

  constructor(world: World) {
    this.#world = world;
  }

  /**
   * Adds the connection, and says how many there are under `key`.
   * @see __nf_conncount_add() in net/netfilter/nf_conncount.c; all packets are taken to come in ticks of their own, so that a list is always looked through.
   */
  add(key: number | bigint | string, tuple: Tuple, zone: number): number {
    const list = this.#lists.get(key);
    if (list === undefined) {
      if (this.#lists.size >= this.#sweepAt) this.#sweep();
      this.#lists.set(key, [{ tuple, zone }]);
      return 1;
    }
    if (!this.#cleanUntil(list, tuple, zone)) list.push({ tuple, zone });
    return list.length;
  }

  /** Drops what ended, up to the connection itself; whether that is there already. */
  #cleanUntil(list: Counted[], tuple: Tuple, zone: number): boolean {
    let dropped = 0;
    let kept = 0;
    let isThere = false;
    for (const one of list) {
      let stays = true;
      if (!isThere && dropped <= dropsAtOnce) {
        const connection = this.#world.findConnection(one.tuple, one.zone);
        isThere = connection !== undefined && isSame(one, tuple, zone);
        stays = isThere || (connection !== undefined && !isClosed(connection));
        if (!stays) dropped++;
      }
      if (stays) list[kept++] = one;
    }
    list.length = kept;
    return isThere;
  }

  #sweep(): void {
    for (const [key, list] of this.#lists) {
      if (list.every(({ tuple, zone }) => this.#world.findConnection(tuple, zone) === undefined)) this.#lists.delete(key);
    }
    this.#sweepAt = Math.max(1024, 2 * this.#lists.size);
  }
}
