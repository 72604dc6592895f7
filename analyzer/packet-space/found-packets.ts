/** Packets that were found to match rules. Most are never looked at, so what is kept of one is what of it is not zero. */

export class FoundPackets {
  /** Of each rule: where its packet stands, plus one; 0 where it has none. */
  readonly #places: Int32Array;
  /** The hook's number, how many pairs follow, and the pairs: dimension, class. */
  #pool = new Int32Array(256);
  #length = 0;
  readonly #width: number;

  /** For so many rules, and packets of so many dimensions. */
  constructor(rules: number, width: number) {
    this.#places = new Int32Array(rules);
    this.#width = width;
  }

  has(rule: number): boolean {
    return this.#places[rule] !== 0;
  }

  /** By which hook the packet of a rule came, as its number; 0 where it has none. */
  hookOf(rule: number): number {
    return this.#pool[(this.#places[rule] ?? 0) - 1] ?? 0;
  }

  /** Writes a packet down that came by a hook; what `note` takes. */
  keep(hook: number, point: Int32Array): number {
    const place = this.#length;
    let at = place + 2;
    if (at + 2 * point.length > this.#pool.length) this.#grow(at + 2 * point.length);
    for (let d = 0; d < point.length; d++) {
      if (point[d] === 0) continue;
      this.#pool[at++] = d;
      this.#pool[at++] = point[d] ?? 0;
    }
    this.#pool[place] = hook;
    this.#pool[place + 1] = (at - place - 2) / 2;
    this.#length = at;
    return place;
  }

  #grow(needed: number): void {
    const larger = new Int32Array(Math.max(needed, 2 * this.#pool.length));
    larger.set(this.#pool);
    this.#pool = larger;
  }

  /** The packet at a place matches the rule. */
  note(rule: number, place: number): void {
    this.#places[rule] = place + 1;
  }

  /** The packet of a rule, and by which hook it came; undefined where none was found. */
  of(rule: number): { readonly hook: number; readonly point: Int32Array } | undefined {
    const place = (this.#places[rule] ?? 0) - 1;
    if (place < 0) return undefined;
    const point = new Int32Array(this.#width);
    for (let i = place + 2, end = i + 2 * (this.#pool[place + 1] ?? 0); i < end; i += 2) point[this.#pool[i] ?? 0] = this.#pool[i + 1] ?? 0;
    return { hook: this.#pool[place] ?? 0, point };
  }
}
