/** Questions about one rule: its place as a mark, and the regions of packets that it is asked with. */
import type { Hook } from '../extensions/define.js';
import { partIn, type Region } from './boxes.js';
import type { CompiledChain } from './compile.js';
import { justify } from './justify.js';
import { search, type Budget, type Examined, type Outcome } from './search.js';
import { makeQuery, waysTo, type TableSpace } from './space.js';
import type { Mark, Query } from './query.js';
import { Traversal } from './traverse.js';

export interface RulePlace {
  readonly number: number;
  readonly chain: CompiledChain;
  /** From 0. */
  readonly index: number;
}

/** What is asked in one hook: the built-in chain, and packets as regions. */
export interface HookRegions {
  readonly hook: Hook;
  readonly base: CompiledChain;
  readonly regions: readonly Region[];
}

export function placeOf({ compiled }: TableSpace, number: number): RulePlace {
  const at = compiled.rules[number];
  const chain = compiled.chains[compiled.chainIds.get(at?.chain ?? '') ?? -1];
  if (at === undefined || chain === undefined) throw new RangeError(`rule ${String(number)}`);
  return { number, chain, index: at.position - 1 };
}

/** For each hook that leads to the rule's chain: the packets of the hook that match the rule, among `packets`. */
export function regionsOf(space: TableSpace, { chain, index }: RulePlace, hook?: Hook, packets?: (hook: Region) => readonly Region[]): HookRegions[] {
  const ways = waysTo(space, chain.id);
  const out: HookRegions[] = [];
  for (const built of space.built) {
    if (!ways.has(built.chain.id) || (hook !== undefined && hook !== built.hook)) continue;
    const regions: Region[] = [];
    for (const all of packets?.(built.region) ?? [built.region]) {
      for (let box = chain.start[index] ?? 0; box < (chain.start[index + 1] ?? 0); box++) {
        const region = partIn(all, chain.own, box);
        if (region !== undefined) regions.push(region);
      }
    }
    out.push({ hook: built.hook, base: built.chain, regions });
  }
  return out;
}

export function markOf(space: TableSpace, { chain, index }: RulePlace, does: Mark['does']): Mark {
  return { chain: chain.id, from: chain.start[index] ?? 0, to: chain.start[index + 1] ?? 0, ways: waysTo(space, chain.id), does };
}

/** Whether a packet can arrive at the rule, whatever becomes of it then. */
export function arrival(space: TableSpace, place: RulePlace, base: CompiledChain, only?: ReadonlySet<number>): Query {
  return makeQuery(space.compiled, base, { mark: markOf(space, place, 'goal'), only });
}

/** Follows one packet; the rules that a proof pins are added to `used`. */
export function follow(query: Query, point: Int32Array, region: Region, used?: Set<number>): Examined & { readonly run: Traversal } {
  const run = new Traversal(query, point);
  if (run.goal !== undefined) return { found: true, claim: undefined, work: run.work, run };
  const claim = justify(run, point, region);
  if (used !== undefined) for (const rule of claim.rules) used.add(rule);
  return { found: false, claim, work: run.work, run };
}

export type Found = Extract<Outcome, { kind: 'found' }> & { readonly region: Region };

/** Searches region after region. */
export function searchAll(regions: readonly Region[], budget: Budget, examine: (point: Int32Array, region: Region) => Examined): Found | Exclude<Outcome, { kind: 'found' }> {
  for (const region of regions) {
    const outcome = search(region, budget, examine);
    if (outcome.kind === 'found') return { ...outcome, region };
    if (outcome.kind === 'undecided') return outcome;
  }
  return { kind: 'none' };
}
