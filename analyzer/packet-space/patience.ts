/** What may be spent on many questions of one kind, so that a few hard ones are gone into, and hundreds do not take hundreds of times as long. */

export interface PatienceOptions {
  /** Boxes looked up that most questions do not need. */
  readonly usual?: number;
  /** Boxes that all questions may look up together beyond that. */
  readonly together?: number;
}

/** What each question may cost, whatever was spent. */
const least = 4_000;

/** Budgets for many questions about one rule set: each has its own whole, until several have used up theirs; then those that are hard are left open soon. */
export class Patience {
  readonly #usual: number;
  #left: number;

  constructor({ usual = 20_000, together = 2_000_000 }: PatienceOptions = {}) {
    this.#usual = usual;
    this.#left = together;
  }

  /** Asks a question that may cost `whole` by itself. */
  ask<B extends { readonly work: number }, T>(whole: B, question: (budget: B) => T): T {
    const work = Math.min(whole.work, Math.max(least, this.#left));
    const own = { ...whole, work };
    const answer = question(own);
    // Once less is left than one question may cost, all counts.
    this.#left -= Math.max(0, work - own.work - (this.#left >= whole.work ? this.#usual : 0));
    return answer;
  }
}
