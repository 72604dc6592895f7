/**
 * A bucket of credit that fills with time and from which each packet takes `cost`. It is kept as whole packets and
 * a part of one, because credit for a slow rate and a large burst exceeds what a number holds exactly.
 */
export class TokenBucket {
  readonly #cost: number;
  readonly #maxWhole: number;
  readonly #maxPart: number;
  #whole: number;
  #part: number;

  /** Full at first: `whole` packets and `part` of the credit of another one. */
  constructor(cost: number, whole: number, part = 0) {
    this.#cost = cost;
    this.#maxWhole = this.#whole = whole;
    this.#maxPart = this.#part = part;
  }

  /** So much credit comes in; what the bucket cannot hold is lost. */
  fill(credit: number): void {
    if (credit <= 0) return;
    this.#part += credit;
    if (this.#part >= this.#cost) {
      this.#whole += Math.floor(this.#part / this.#cost);
      this.#part %= this.#cost;
    }
    if (this.#whole > this.#maxWhole || (this.#whole === this.#maxWhole && this.#part > this.#maxPart)) {
      this.#whole = this.#maxWhole;
      this.#part = this.#maxPart;
    }
  }

  /** Takes the credit of one packet, if there is that much. */
  take(): boolean {
    if (this.#whole === 0) return false;
    this.#whole--;
    return true;
  }
}
