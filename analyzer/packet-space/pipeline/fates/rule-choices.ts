/**
 * Choices by rule: what is called by a rule of several boxes is called in one way, whichever of them holds the packet. So what is
 * said of one packet's choices behind a jump is said of all that take it.
 */
import type { Chains } from '../chains.js';
import { ChoiceNames } from '../choice-names.js';

/** Of each box, numbered over all chains: the first one of its rule. */
export function firstBoxes({ ruleOfBox: rule }: Chains): Int32Array {
  const first = new Int32Array(rule.length);
  for (let box = 0; box < rule.length; box++) first[box] = box > 0 && (rule[box] ?? -1) >= 0 && rule[box] === rule[box - 1] ? first[box - 1] ?? 0 : box;
  return first;
}

export class RuleChoices extends ChoiceNames {
  readonly #first: Int32Array;

  constructor(chains: Chains) {
    super();
    this.#first = firstBoxes(chains);
  }

  override below(way: number, box: number): number { return super.below(way, this.#first[box] ?? box); }
}
