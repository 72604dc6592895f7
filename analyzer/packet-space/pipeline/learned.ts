/** What was learned of a packet for a larger part than it was asked about: others like it lie in other holes, and need not be followed. */
import type { FreshClaim } from './claim.js';
import { contains, meetsHole, type Part } from './part.js';

/** So many are kept, those that were of use last. */
const kept = 64;
/** Of what is learned one in so many must be of use, else one packet in so many is learned from. */
const usefulness = 4;
const seldom = 16;

export class Learned {
  readonly #claims: FreshClaim[] = [];
  #asked = 0;
  #tried = 0;
  #used = 0;

  /** Whether to learn from the next packet: what was learned saved work, or it is time to try again. */
  isTime(): boolean {
    return this.#used * usefulness >= this.#tried || this.#asked++ % seldom === 0;
  }

  /** Of claims with many holes nothing is kept: to look whether a part meets one of them takes as long as to follow a packet. */
  add(claim: FreshClaim): void {
    this.#tried++;
    if (claim.hasMany) return;
    if (this.#claims.length === kept) this.#claims.shift();
    this.#claims.push(claim);
  }

  /** What says that nothing is left to look for in a part. */
  about(part: Part): FreshClaim | undefined {
    const at = this.#claims.findLastIndex(claim => contains(claim, part) && !claim.holes.some(hole => meetsHole(part, hole)));
    if (at < 0) return undefined;
    this.#used++;
    const [claim] = this.#claims.splice(at, 1);
    if (claim !== undefined) this.#claims.push(claim);
    return claim;
  }
}
