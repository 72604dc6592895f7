/** What `-m connlimit` counts: the connections that packets of one address or network were seen of. */
import type { Connection, Tuple } from '../packet/connection.js';
import type { Packet } from '../packet/packet.js';
import type { World } from '../packet/traversal.js';

interface Counted {
  readonly tuple: Tuple;
  readonly zone: number;
}

/** CONNCOUNT_GC_MAX_NODES: when more were dropped at once, the rest waits for the next packet. */
const dropsAtOnce = 64;

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
  readonly #lists = new Map<number | string, Counted[]>();
  #packet: Packet | undefined;
  /** Lists that were looked through for this packet, or for the one because of which it is sent: in the same tick, the kernel does not look again. */
  readonly #looked = new Set<Counted[]>();
  #sweepAt = 1024;

  constructor(world: World) {
    this.#world = world;
  }

  /**
   * How many connections there are under `key`, with this one. It is added if it is not there; not where it is assured, for then it was counted when it began: what ended is dropped
   * from the list, be it the packet's own connection, and what stays is counted. That may be 0, and the kernel has no answer to that but to drop the packet.
   * @see count_tree(), __nf_conncount_add() and __nf_conncount_gc_list() in net/netfilter/nf_conncount.c; asked of Linux 6.18.44. Packets are taken to come in ticks of their own, but
   * for what the host sends because of them: that is counted once more.
   */
  count(key: number | string, packet: Packet, { tuple, zone, isAssured }: Counted & { readonly isAssured: boolean }): number {
    if (packet !== this.#packet && !packet.isGenerated) this.#looked.clear();
    this.#packet = packet;
    const list = this.#lists.get(key);
    if (list === undefined) {
      if (this.#lists.size >= this.#sweepAt) this.#sweep();
      const made = [{ tuple, zone }];
      this.#looked.add(made);
      this.#lists.set(key, made);
      return 1;
    }
    const isLookedThrough = this.#looked.has(list);
    this.#looked.add(list);
    if (isAssured) {
      if (!isLookedThrough) this.#clean(list);
    } else if (isLookedThrough || !this.#cleanUntil(list, tuple, zone)) list.push({ tuple, zone });
    return list.length;
  }

  #isLive({ tuple, zone }: Counted): boolean {
    const connection = this.#world.findConnection(tuple, zone);
    return connection !== undefined && !isClosed(connection);
  }

  /** Drops what ended; where that was much, only up to the next that lives. */
  #clean(list: Counted[]): void {
    let dropped = 0;
    let kept = 0;
    let isDone = false;
    for (const one of list) {
      if (!isDone && !this.#isLive(one)) {
        dropped++;
        continue;
      }
      isDone ||= dropped > dropsAtOnce;
      list[kept++] = one;
    }
    list.length = kept;
  }

  /** Drops what ended, up to the connection itself; whether that is there already. */
  #cleanUntil(list: Counted[], tuple: Tuple, zone: number): boolean {
    let dropped = 0;
    let kept = 0;
    let isThere = false;
    for (const one of list) {
      let stays = true;
      if (!isThere && dropped <= dropsAtOnce) {
        isThere = isSame(one, tuple, zone) && this.#world.findConnection(one.tuple, one.zone) !== undefined;
        stays = isThere || this.#isLive(one);
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
