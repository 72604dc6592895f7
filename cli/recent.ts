/** What was asked for lately, so that it need not be made again; no more than `most` of it, so that it never fills the memory. */
export class Recent<K, V> {
  readonly #values = new Map<K, V>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: K, make: () => V): V {
    const known = this.#values.get(key);
    const value = known === undefined ? make() : known;
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#most) for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      break;
    }
    return value;
  }
}
