/** What becomes of one packet, and why, told apart as finely as a person would: rejects by their words, what is accepted by what was written into it. */
import { printBody } from '../../../model/print.js';
import type { RuleBody } from '../../../model/ruleset.js';
import { Does, stops } from '../classes.js';
import { Step, type Chains, type PipelineChain } from '../chains.js';
import type { Justifier } from '../claim.js';
import type { Pipeline, Trip } from '../passes.js';
import type { Origins } from '../origins.js';
import type { StageRun } from '../run.js';
import type { Leads } from '../watch.js';

/** How a stage stops packets: silently, or with a REJECT of these words. */
type End = string;
const silent: End = 'drop';
/** Not a way to stop: routing sends it on another path. */
export const elsewhere: End = 'elsewhere';

/** The ways in which chains stop packets, found once for each pipeline. */
export class Ends {
  readonly #chains: Chains;
  readonly #ofRule = new Map<number, End>();
  readonly #below = new Map<number, ReadonlySet<End>>();
  readonly #leads = new Map<End, Leads | undefined>();

  constructor(chains: Chains) {
    this.#chains = chains;
  }

  /** How a stage that dropped a packet did it. */
  of({ frame, stage }: StageRun): End {
    if (stage.table === 'routing') return elsewhere;
    for (let at = frame; at !== undefined;) {
      const step = at.steps.at(-1);
      if (step?.ends !== true) return silent;
      if (step.below === undefined) return this.#ofBox(at.chain, step.box);
      at = step.below;
    }
    return silent;
  }

  #ofBox(chain: PipelineChain, box: number): End {
    if (((chain.bits[box] ?? 0) & Does.reject) === 0) return silent;
    const number = chain.rule[box] ?? -1;
    let end = this.#ofRule.get(number);
    if (end === undefined) this.#ofRule.set(number, end = wordsOf(this.#chains, number));
    return end;
  }

  #inChain(chain: PipelineChain): ReadonlySet<End> {
    const known = this.#below.get(chain.id);
    if (known !== undefined) return known;
    const ends = new Set<End>();
    this.#below.set(chain.id, ends);
    for (let box = 0; box < chain.count; box++) {
      if (chain.act[box] === Step.Drop) ends.add(this.#ofBox(chain, box));
      const callee = this.#chains.list[chain.callee[box] ?? -1];
      if (callee !== undefined) for (const end of this.#inChain(callee)) ends.add(end);
    }
    return ends;
  }

  /** The boxes that stop packets in another way than `end`, and what leads to them. Undefined where all packets are stopped alike. */
  #others(end: End): Leads | undefined {
    if (this.#leads.has(end)) return this.#leads.get(end);
    const all = new Set(this.#chains.list.flatMap(chain => [...this.#inChain(chain), ...chain.policy === 'DROP' ? [silent] : []]));
    const known = new Map<number, readonly number[]>();
    const leads: Leads | undefined = [...all].every(one => one === end) ? undefined : chain => {
      let boxes = known.get(chain.id);
      if (boxes === undefined) known.set(chain.id, boxes = this.#otherBoxes(chain, end));
      return boxes;
    };
    this.#leads.set(end, leads);
    return leads;
  }

  #otherBoxes(chain: PipelineChain, end: End): number[] {
    const boxes: number[] = [];
    for (let box = 0; box < chain.count; box++) {
      const callee = this.#chains.list[chain.callee[box] ?? -1];
      const isOther = chain.act[box] === Step.Drop ? this.#ofBox(chain, box) !== end : callee !== undefined && [...this.#inChain(callee)].some(one => one !== end);
      if (isOther) boxes.push(box);
    }
    // What comes to the end of the chain is dropped without a word: as if a box stood there.
    if (chain.policy === 'DROP' && end !== silent) boxes.push(chain.count);
    return boxes;
  }

  /** The stage stops the packet as it did, if it comes so far. */
  stops(claim: Justifier, run: StageRun): void {
    claim.verdict(run.number);
    const end = this.of(run);
    const leads = end === elsewhere ? undefined : this.#others(end);
    if (leads !== undefined) claim.avoids(run.number, leads);
  }

  /** The packet comes to its end as it did. */
  stopped(claim: Justifier, { run }: Trip, last: StageRun): void {
    const end = this.of(last);
    for (const { stage, number } of run.stages.slice(0, last.number)) {
      const chain = this.#chains.list[stage.chain];
      const others = stage.table === 'routing' || (chain !== undefined && [...this.#inChain(chain), ...chain.policy === 'DROP' ? [silent] : []].some(one => one !== end));
      if ((stage.does & stops) !== 0 && others) claim.verdict(number);
    }
    this.stops(claim, last);
  }
}

function wordsOf({ rules, ruleset }: Chains, number: number): End {
  const at = rules[number];
  if (at === undefined) return 'reject';
  const { family, backend } = ruleset;
  const target: RuleBody = { ...at.rule, source: undefined, destination: undefined, inInterface: undefined, outInterface: undefined, fragment: undefined, matches: [], protocol: undefined };
  return `reject ${printBody(target, { table: at.table, family, backend }).trim().replace(/^-j /u, '')}`;
}

/** The first stage at which a packet was stopped. */
export function stoppedAt({ run }: Trip): StageRun | undefined {
  return run.stages[run.drops[0] ?? -1];
}

/** Dimensions of fields that rules can write, of what leaves: interfaces are not among them. */
export function writable({ chains: { dimensions, fieldCount } }: Pipeline): readonly number[] {
  return dimensions.list.slice(0, fieldCount).flatMap((one, d) => one.kind === 'range' || one.kind === 'bits' ? [d] : []);
}

/** The fields as they are behind a stage. */
export function behind({ run, leaving }: Trip, at: number): Origins {
  return run.stages[at + 1]?.origins ?? leaving;
}

/** The packet gets through all stages. */
export function passes(claim: Justifier, { run }: Trip): void {
  for (const { stage, number } of run.stages) if ((stage.does & stops) !== 0) claim.verdict(number);
}
