/** Look-outs for many rules of one rule set: what leads to a chain is found once. */
import { Step, type Chains, type PipelineChain } from '../chains.js';
import type { Leads, Watch } from '../run.js';

const none: readonly number[] = [];

export class Watches {
  readonly #chains: Chains;
  readonly #above = new Map<number, Leads>();
  readonly #boxes = new Map<number, ReadonlyMap<number, readonly [number, number]>>();

  constructor(chains: Chains) {
    this.#chains = chains;
  }

  /** The boxes of a rule: first, and behind the last. Undefined where it has none: nothing matches it. */
  boxesOf(number: number): readonly [number, number] | undefined {
    const id = this.#chains.chainOf[number] ?? -1;
    const chain = this.#chains.list[id];
    if (chain === undefined) return undefined;
    let known = this.#boxes.get(id);
    if (known === undefined) this.#boxes.set(id, known = boxesByRule(chain));
    return known.get(number);
  }

  watch(number: number): Watch | undefined {
    const boxes = this.boxesOf(number);
    const chain = this.#chains.chainOf[number] ?? -1;
    if (boxes === undefined) return undefined;
    const [from, to] = boxes;
    const own = Array.from({ length: to - from }, (_, i) => from + i);
    const above = this.#leadsTo(chain);
    return { rule: number, chain, from, to, leads: one => one.id === chain ? own : above(one) };
  }

  #leadsTo(target: number): Leads {
    let leads = this.#above.get(target);
    if (leads === undefined) this.#above.set(target, leads = leadsAbove(this.#chains, target));
    return leads;
  }
}

/** Jumps that lead to a chain, in those that call it, over any number of others. */
function leadsAbove({ callers }: Chains, target: number): Leads {
  const above = new Set([target]);
  for (const id of above) for (const [caller] of callers.get(id) ?? []) above.add(caller);
  const known = new Map<number, readonly number[]>();
  return chain => {
    if (!above.has(chain.id)) return none;
    let boxes = known.get(chain.id);
    if (boxes === undefined) {
      const found: number[] = [];
      for (let box = 0; box < chain.count; box++) if ((chain.act[box] === Step.Jump || chain.act[box] === Step.Goto) && above.has(chain.callee[box] ?? -1)) found.push(box);
      known.set(chain.id, boxes = found);
    }
    return boxes;
  };
}

/** The boxes of each rule of a chain. */
export function boxesByRule({ rule, count }: PipelineChain): ReadonlyMap<number, readonly [number, number]> {
  const out = new Map<number, readonly [number, number]>();
  for (let from = 0; from < count;) {
    const number = rule[from] ?? -1;
    let to = from + 1;
    while (to < count && rule[to] === number) to++;
    if (number >= 0) out.set(number, [from, to]);
    from = to;
  }
  return out;
}
