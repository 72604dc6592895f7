/**
 * That no packet comes to a rule, read backwards from it: what a packet is like there it was like at the rules before, as far as nobody writes it in
 * between. Where one of those takes all packets that are like that, or would have made something else of them, none comes. It takes no search, and sees
 * what follows from fields whose values nobody knows.
 */
import type { Chains, PipelineChain } from './chains.js';
import { Step } from './chains.js';
import type { SolveBudget } from './solve.js';
import type { Write } from './values.js';
import { firstBoxOf, type Watch } from './watch.js';

/** What is known of a packet at some place. */
interface Facts {
  readonly sides: ReadonlyMap<number, readonly [number, number]>;
  /** Properties: number · 2 + whether it has it. */
  readonly atoms: ReadonlySet<number>;
}

const nothing: Facts = { sides: new Map(), atoms: new Set() };
const none: readonly never[] = [];

/**
 * Numbers of the rules that keep all packets from the watched rule, whatever stands in other tables; undefined where that cannot be seen so. `only`: any
 * rule but these may or may not be there.
 */
export function blockersOf(chains: Chains, watch: Watch, only: ReadonlySet<number> | undefined, budget: SolveBudget): ReadonlySet<number> | undefined {
  const chain = chains.list[watch.chain];
  if (chain === undefined) return undefined;
  const reader = new Backwards(chains, only, budget);
  for (let box = watch.from; box < watch.to; box++) {
    const facts = withBox(nothing, chain, box);
    if (facts !== undefined && reader.mayCome(chain, watch.from, facts)) return undefined;
  }
  return reader.blockers;
}

class Backwards {
  readonly blockers = new Set<number>();
  readonly #chains: Chains;
  readonly #only: ReadonlySet<number> | undefined;
  readonly #budget: SolveBudget;

  constructor(chains: Chains, only: ReadonlySet<number> | undefined, budget: SolveBudget) {
    this.#chains = chains;
    this.#only = only;
    this.#budget = budget;
  }

  /** Whether a packet of which the facts hold may come to the box `before` of a chain, which is the first of its rule. */
  mayCome(chain: PipelineChain, before: number, at: Facts): boolean {
    for (const facts of this.#entries(chain, before, at)) {
      if (chain.policy !== undefined) return true;
      const callers = this.#chains.callers.get(chain.id) ?? none;
      if (callers.some(([id, number]) => {
        const caller = this.#chains.list[id];
        return caller === undefined || this.#mayCall(caller, number, chain.id, facts);
      })) return true;
    }
    return false;
  }

  /** What may hold at the beginning of a chain of packets that come from there to the box `before`, where the facts hold of them. */
  * #entries(chain: PipelineChain, before: number, at: Facts): Generator<Facts, void> {
    let facts = at;
    for (let end = before; end > 0;) {
      const from = firstOf(chain, end - 1);
      if (this.#budget.work-- <= 0) {
        yield nothing;
        return;
      }
      if (this.#blocks(chain, from, end, facts)) {
        this.blockers.add(chain.rule[from] ?? -1);
        return;
      }
      if (this.#writesBelow(chain, from, end, facts)) {
        yield* this.#aroundCall(chain, from, end, facts);
        return;
      }
      facts = this.#before(chain, from, end, facts);
      if (facts.sides.size === 0 && facts.atoms.size === 0 && chain.policy !== undefined) break;
      end = from;
    }
    yield facts;
  }

  /** Whether a rule calls a chain in which something of what is known may be written. */
  #writesBelow(chain: PipelineChain, from: number, end: number, { sides }: Facts): boolean {
    for (let box = from; box < end; box++) {
      if (chain.act[box] !== Step.Jump) continue;
      for (const d of this.#writtenBelow(chain.callee[box] ?? -1)) if (sides.has(d)) return true;
    }
    return false;
  }

  /** The same of packets that have passed a rule that calls another chain: they were not for it, or they came back from there. */
  * #aroundCall(chain: PipelineChain, from: number, end: number, facts: Facts): Generator<Facts, void> {
    let isForAll = false;
    for (let box = from; box < end; box++) {
      isForAll ||= this.#isCertain(chain, box) && isLike(withBox(nothing, chain, box) ?? facts, nothing);
      const callee = this.#chains.list[chain.callee[box] ?? -1];
      if (callee === undefined) yield* this.#entries(chain, from, nothing);
      else for (const before of this.#passing(callee, facts)) {
        const both = withBox(before, chain, box);
        if (both !== undefined) yield* this.#entries(chain, from, both);
      }
    }
    if (isForAll) this.blockers.add(chain.rule[from] ?? -1);
    else yield* this.#entries(chain, from, facts);
  }

  /** What may hold at the beginning of a chain of packets that come back from it, where the facts hold of them then. */
  * #passing(chain: PipelineChain, facts: Facts): Generator<Facts, void> {
    yield* this.#entries(chain, chain.count, facts);
    this.#budget.work -= chain.count;
    for (let box = 0; box < chain.count; box++) {
      if (chain.act[box] === Step.Leave) {
        const both = withBox(facts, chain, box);
        if (both !== undefined) yield* this.#entries(chain, firstOf(chain, box), both);
      } else if (chain.act[box] === Step.Goto) {
        const callee = this.#chains.list[chain.callee[box] ?? -1];
        for (const before of callee === undefined ? [nothing] : this.#passing(callee, facts)) {
          const both = withBox(before, chain, box);
          if (both !== undefined) yield* this.#entries(chain, firstOf(chain, box), both);
        }
      }
    }
  }

  #mayCall(caller: PipelineChain, number: number, callee: number, facts: Facts): boolean {
    const from = firstBoxOf(caller, number);
    for (let box = from; caller.rule[box] === number; box++) {
      const both = caller.callee[box] === callee ? withBox(facts, caller, box) : undefined;
      if (both !== undefined && this.mayCome(caller, from, both)) return true;
    }
    return false;
  }

  /** Whether no packet of which the facts hold behind the boxes from … end - 1 of a rule can have come by them. */
  #blocks(chain: PipelineChain, from: number, end: number, facts: Facts): boolean {
    for (let box = from; box < end; box++) {
      const together = withBox(facts, chain, box);
      if (together === undefined) continue;
      // The first that is met is what happens.
      if (leadsOn(chain, box, facts)) return false;
      if (this.#isCertain(chain, box) && isLike(together, facts)) return true;
    }
    return false;
  }

  /** Whether the rule is there, and all packets of the box are for it. */
  #isCertain(chain: PipelineChain, box: number): boolean {
    const number = chain.rule[box] ?? -1;
    return chain.soft[box] === 0 && number >= 0 && this.#only?.has(number) !== false;
  }

  /** What held before the boxes from … end - 1, where the facts hold behind them. */
  #before(chain: PipelineChain, from: number, end: number, facts: Facts): Facts {
    const written = new Set<number>();
    for (let box = from; box < end; box++) {
      if (leadsOn(chain, box, facts)) for (const { dimension } of chain.writes[box] ?? none) written.add(dimension);
    }
    return [...written].some(d => facts.sides.has(d)) ? { ...facts, sides: new Map([...facts.sides].filter(([d]) => !written.has(d))) } : facts;
  }

  * #writtenBelow(chain: number): Generator<number, void> {
    for (const id of this.#chains.below(chain)) for (const { writes } of this.#chains.list[id]?.writing ?? none) for (const { dimension } of writes) yield dimension;
  }
}

/** The first box of the rule of a box. */
function firstOf({ rule }: PipelineChain, box: number): number {
  let first = box;
  while (first > 0 && rule[first - 1] === rule[box]) first--;
  return first;
}

/** Whether a packet that matches the box may come to the next rule, and the facts hold there. */
function leadsOn(chain: PipelineChain, box: number, { sides }: Facts): boolean {
  const act = chain.act[box];
  if (act !== Step.Skip && act !== Step.Jump && act !== Step.Write) return false;
  return !(chain.writes[box] ?? none).some(write => isOther(write, sides.get(write.dimension)));
}

/** Whether what is written is not what is known of the field. */
function isOther(write: Write, known: readonly [number, number] | undefined): boolean {
  if (known === undefined || write.kind === 'copy') return false;
  const [low, high] = write.kind === 'class' ? [write.value, write.value] : [write.low, write.high];
  return low > known[1] || high < known[0];
}

/** What holds of packets that are in a box as well; undefined where there are none. */
function withBox(facts: Facts, chain: PipelineChain, box: number): Facts | undefined {
  const sides = new Map(facts.sides);
  for (let i = chain.at[box] ?? 0; i < (chain.at[box + 1] ?? 0); i++) {
    const [d, from, to] = [chain.dim[i] ?? 0, chain.lo[i] ?? 0, chain.hi[i] ?? 0];
    const [low, high] = sides.get(d) ?? [from, to];
    if (from > high || to < low) return undefined;
    sides.set(d, [Math.max(low, from), Math.min(high, to)]);
  }
  const asked = chain.atoms[box] ?? none;
  if (asked.some(atom => facts.atoms.has(atom ^ 1))) return undefined;
  return { sides, atoms: asked.length === 0 ? facts.atoms : new Set([...facts.atoms, ...asked]) };
}

/** Whether what was added to facts says nothing new. */
function isLike(more: Facts, { sides, atoms }: Facts): boolean {
  if (more.atoms.size !== atoms.size || more.sides.size !== sides.size) return false;
  for (const [d, [low, high]] of more.sides) if (sides.get(d)?.[0] !== low || sides.get(d)?.[1] !== high) return false;
  return true;
}
