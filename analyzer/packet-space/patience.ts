/** What may be spent on many questions of one kind, so that a few hard ones are gone into, and hundreds do not take hundreds of times as long. */

export interface PatienceOptions {
  /** Boxes looked up that most questions do not need. */
  readonly usual?: number;
  /** Boxes that all questions may look up together beyond that. */
  readonly together?: number;
}

/** Of one thing that questions cost: what all may spend of it together, beside what is usual. */
class Account {
  readonly #usual: number;
  /** What each question may cost, whatever was spent. */
  readonly #least: number;
  #left: number;

  constructor({ usual, together, least }: { readonly usual: number; readonly together: number; readonly least: number }) {
    this.#usual = usual;
    this.#left = together;
    this.#least = least;
  }

  /** Of what a question may cost by itself, what it may cost now. */
  allow(whole: number): number {
    return Math.min(whole, Math.max(this.#least, this.#left));
  }

  /** Once less is left than one question may cost, all counts. */
  take(whole: number, spent: number): void {
    this.#left -= Math.max(0, spent - (this.#left >= whole ? this.#usual : 0));
  }
}

/** Packets that are followed: in a small rule set it takes few boxes to follow one. */
const packetLimits = { usual: 200, together: 10_000, least: 200 };

/** Budgets for many questions about one rule set: each has its own whole, until several have used up theirs; then those that are hard are left open soon. */
export class Patience {
  readonly #work: Account;
  readonly #packets = new Account(packetLimits);

  constructor({ usual = 20_000, together = 2_000_000 }: PatienceOptions = {}) {
    this.#work = new Account({ usual, together, least: 4_000 });
  }

  /** Asks a question that may cost `whole` by itself: boxes looked up, and packets followed where these are counted. */
  ask<B extends { readonly work: number; readonly packets?: number }, T>(whole: B, question: (budget: B) => T): T {
    const { work, packets = 0 } = whole;
    const given = { ...whole, work: this.#work.allow(work), ...whole.packets === undefined ? {} : { packets: this.#packets.allow(packets) } };
    const own = { ...given };
    const answer = question(own);
    this.#work.take(work, given.work - own.work);
    this.#packets.take(packets, (given.packets ?? 0) - (own.packets ?? 0));
    return answer;
  }
}
