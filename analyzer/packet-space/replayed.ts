/** What an iterator gives, made as it is asked for, once for all who go through it. */
export class Replayed<T> implements Iterable<T> {
  readonly #source: Iterator<T, void>;
  readonly #known: T[] = [];

  constructor(source: Iterator<T, void>) {
    this.#source = source;
  }

  * [Symbol.iterator](): Generator<T, void> {
    for (let i = 0; ; i++) {
      if (i === this.#known.length) {
        const next = this.#source.next();
        if (next.done === true) return;
        this.#known.push(next.value);
      }
      const value = this.#known[i];
      if (value !== undefined) yield value;
    }
  }
}
