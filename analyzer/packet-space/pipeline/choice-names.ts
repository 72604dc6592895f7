/** Numbers for what is a matter of choice. */

const boxLimit = 2 ** 24;

/** Gives choices numbers: by what is chosen, and where on the way. */
export class ChoiceNames {
  readonly #ids = new Map<number, number>();
  readonly #ways = new Map<number, number>();

  /** Whether a box matches that hangs on something unknown; `box` among all boxes, `way` how its chain was called. */
  soft(way: number, box: number): number {
    return this.#of(way * boxLimit + box);
  }

  /** Whether a property holds: of a packet or of its answer (`isReply`), as long as nothing may have changed it. */
  atom(atom: number, epoch: number, isReply: boolean): number {
    return this.#of(-1 - (atom * 64 + epoch * 2 + (isReply ? 1 : 0)));
  }

  /** The way down by one more call. */
  below(way: number, box: number): number {
    const key = way * boxLimit + box;
    let id = this.#ways.get(key);
    // The first numbers are those of stages.
    if (id === undefined) this.#ways.set(key, id = this.#ways.size + 64);
    return id;
  }

  #of(key: number): number {
    let id = this.#ids.get(key);
    if (id === undefined) this.#ids.set(key, id = this.#ids.size);
    return id;
  }
}
