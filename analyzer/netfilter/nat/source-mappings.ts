/** Connections by where they came from (`nf_nat_bysource`): a client's next connection should come out with the same source as its last. */
import type { Connection, Tuple } from '../../packet/connection.js';

const leastBeforeSweep = 1024;

function keyOf(tuple: Tuple, zone: number): string {
  return `${String(tuple.src)} ${String(tuple.protocol)} ${String(tuple.sport)} ${String(zone)}`;
}

export class SourceMappings {
  readonly #bySource = new Map<string, Connection[]>();
  readonly #isAlive: (connection: Connection) => boolean;
  #count = 0;
  #sweepAt = leastBeforeSweep;

  /** `isAlive`: is the connection still in the table? Those that are not are forgotten in time. */
  constructor(isAlive: (connection: Connection) => boolean) {
    this.#isAlive = isAlive;
  }

  add(connection: Connection): void {
    if (this.#count >= this.#sweepAt) this.#sweep();
    const key = keyOf(connection.original, connection.zones[0]);
    const known = this.#bySource.get(key);
    if (known === undefined) this.#bySource.set(key, [connection]);
    else known.push(connection);
    this.#count++;
  }

  /** Live connections from the tuple's source, the newest first. */
  *from(tuple: Tuple, zone: number): Iterable<Connection> {
    const known = this.#bySource.get(keyOf(tuple, zone)) ?? [];
    for (let index = known.length - 1; index >= 0; index--) {
      const connection = known[index];
      if (connection !== undefined && this.#isAlive(connection)) yield connection;
    }
  }

  /** How many are kept, dead ones that no sweep has met yet included. */
  get size(): number { return this.#count; }

  #sweep(): void {
    this.#count = 0;
    for (const [key, connections] of this.#bySource) {
      const alive = connections.filter(this.#isAlive);
      this.#count += alive.length;
      if (alive.length === 0) this.#bySource.delete(key);
      else this.#bySource.set(key, alive);
    }
    this.#sweepAt = Math.max(leastBeforeSweep, 2 * this.#count);
  }
}
