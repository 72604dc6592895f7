/** The table of connections: buckets of tuples, as in the kernel (`nf_conntrack_hash`). */
import type { Connection, Direction, Tuple } from '../../packet/connection.js';
import { isSameTuple } from './tuples.js';

/** Zones by direction. */
export type Zones = readonly [original: number, reply: number];

/** A tuple of a connection (`struct nf_conntrack_tuple_hash`). */
export interface TupleEntry {
  readonly tuple: Tuple;
  readonly direction: Direction;
  readonly connection: Connection;
  readonly hash: number;
  next: TupleEntry | undefined;
}

/** 32 bits of an address. */
function folded(address: number | bigint): number {
  if (typeof address === 'number') return address | 0;
  return Number(BigInt.asIntN(32, address ^ (address >> 32n) ^ (address >> 64n) ^ (address >> 96n)));
}

/** Well mixed: neighbouring addresses and ports fall far apart. */
function hashOf(tuple: Tuple): number {
  let hash = Math.imul(folded(tuple.src), 0x9e3779b1) ^ Math.imul(folded(tuple.dst) ^ tuple.protocol, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ Math.imul((tuple.sport << 16) | tuple.dport, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 13), 0x297a2d39);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function isIn({ connection, direction }: TupleEntry, zones: Zones, side: Direction | undefined): boolean {
  const zone = zones[direction];
  return connection.zones[direction] === zone && (side === undefined || zone === zones[side]);
}

export class TupleTable {
  readonly #buckets = new Map<number, TupleEntry>();
  readonly #bucketCount: number;
  /** Connections, in the order in which they were put in. */
  readonly #connections = new Set<Connection>();

  constructor(bucketCount: number) {
    this.#bucketCount = Math.max(1, bucketCount);
  }

  /** Connections, expired ones included. */
  get count(): number {
    return this.#connections.size;
  }

  get bucketCount(): number {
    return this.#bucketCount;
  }

  connections(): Iterable<Connection> {
    return this.#connections;
  }

  /**
   * The newest entry of this tuple in these zones; of an expired connection too. A tuple of a connection's own is sought by the zone of
   * its `side`, for that goes into the hash (hash_conntrack()); a packet's by both.
   */
  find(tuple: Tuple, zones: Zones, side?: Direction): TupleEntry | undefined {
    const hash = hashOf(tuple);
    for (let entry = this.#buckets.get(hash % this.#bucketCount); entry !== undefined; entry = entry.next) {
      if (entry.hash === hash && isSameTuple(entry.tuple, tuple) && isIn(entry, zones, side)) return entry;
    }
    return undefined;
  }

  /** `replyOnly`: the original tuple belongs to another connection (a clash). */
  insert(connection: Connection, replyOnly = false): void {
    this.#connections.add(connection);
    if (!replyOnly) this.#link(connection.original, 0, connection);
    this.#link(connection.reply, 1, connection);
  }

  #link(tuple: Tuple, direction: Direction, connection: Connection): void {
    const hash = hashOf(tuple);
    const bucket = hash % this.#bucketCount;
    this.#buckets.set(bucket, { tuple, direction, connection, hash, next: this.#buckets.get(bucket) });
  }

  remove(connection: Connection): void {
    if (!this.#connections.delete(connection)) return;
    this.#unlink(connection.original, connection);
    this.#unlink(connection.reply, connection);
  }

  /** Takes all entries of the connection out of the tuple's bucket. */
  #unlink(tuple: Tuple, connection: Connection): void {
    const bucket = hashOf(tuple) % this.#bucketCount;
    let head = this.#buckets.get(bucket);
    while (head?.connection === connection) head = head.next;
    for (let entry = head; entry !== undefined; entry = entry.next) {
      while (entry.next?.connection === connection) entry.next = entry.next.next;
    }
    if (head === undefined) this.#buckets.delete(bucket);
    else this.#buckets.set(bucket, head);
  }

  /** The connections in a bucket; a number beyond the last counts on from the first. */
  inBucket(bucket: number): Connection[] {
    const found: Connection[] = [];
    for (let entry = this.#buckets.get(bucket % this.#bucketCount); entry !== undefined; entry = entry.next) found.push(entry.connection);
    return found;
  }
}
