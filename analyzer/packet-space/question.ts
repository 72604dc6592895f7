/** Questions about one rule: its place as a mark, and the regions of packets that it is asked with. */
import type { Hook } from '../extensions/define.js';
import type { RuleAt } from './answers.js';
import { copyOf, partIn, type Region } from './boxes.js';
import { chainOf, type CompiledChain, type CompiledTable } from './compile.js';
import { cutDown } from './hull.js';
import { justify } from './justify.js';
import { search, type Budget, type Examined, type Outcome } from './search.js';
import { makeQuery, waysTo, type TableSpace } from './space.js';
import type { Mark, Query } from './query.js';
import { impossibleAround, isImpossible } from './tracked-states.js';
import { Traversal } from './traverse.js';

export interface RulePlace {
  readonly number: number;
  readonly chain: CompiledChain;
}

/** What is asked in one hook: the built-in chain, and packets as regions. */
export interface HookRegions {
  readonly hook: Hook;
  readonly base: CompiledChain;
  /** Packets that no jump can lead to the rule may be missing. */
  readonly regions: readonly Region[];
  /** The rule, or the question, excludes all packets of the hook. */
  readonly none: boolean;
}

export function placeOf({ compiled }: TableSpace, number: number): RulePlace {
  return { number, chain: chainOf(compiled, number) };
}

/** The number of a rule of the table; undefined where it is none of its rules. */
export function numberOf({ compiled }: TableSpace, { chain: name, position, rule }: RuleAt): number | undefined {
  const chain = compiled.chains[compiled.chainIds.get(name) ?? -1];
  return chain?.chain.rules[position - 1] === rule ? chain.firstRule + position - 1 : undefined;
}

/** For each hook that leads to the rule's chain: the packets of the hook that match the rule, among `packets`. */
export function regionsOf(space: TableSpace, { chain, number }: RulePlace, hook?: Hook, packets?: (hook: Region) => readonly Region[]): HookRegions[] {
  const ways = waysTo(space, chain.id);
  const { own, start, dimensions: { tracked } } = space.compiled;
  const out: HookRegions[] = [];
  for (const built of space.built) {
    if (!ways.has(built.chain.id) || (hook !== undefined && hook !== built.hook)) continue;
    const regions: Region[] = [];
    let none = true;
    for (const all of packets?.(built.region) ?? [built.region]) {
      for (let box = start[number] ?? 0, end = start[number + 1] ?? 0; box < end; box++) {
        const region = partIn(all, own, box);
        if (region === undefined || isImpossible(tracked, region)) continue;
        none = false;
        if (cutDown(region, space.entries[chain.id]) && !isImpossible(tracked, region)) regions.push(region);
      }
    }
    out.push({ hook: built.hook, base: built.chain, regions, none });
  }
  return out;
}

export function markOf(space: TableSpace, { chain, number }: RulePlace, does: Mark['does']): Mark {
  const { start } = space.compiled;
  return { chain: chain.id, from: start[number] ?? 0, to: start[number + 1] ?? 0, ways: waysTo(space, chain.id), does };
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

/** A packet that there cannot be is put aside with its like, and no rule is the reason. */
function impossible({ dimensions: { tracked } }: CompiledTable, point: Int32Array, region: Region): Examined | undefined {
  const sides = impossibleAround(tracked, point, region);
  if (sides === undefined) return undefined;
  const around = copyOf(region);
  for (const [d, low, high] of sides) [around.lo[d], around.hi[d]] = [low, high];
  return { found: false, claim: { ...around, holes: [], gaps: [], rules: [] }, work: 1 };
}

/** Searches region after region. */
export function searchAll({ compiled }: TableSpace, regions: readonly Region[], budget: Budget, examine: (point: Int32Array, region: Region) => Examined): Found | Exclude<Outcome, { kind: 'found' }> {
  for (const region of regions) {
    const outcome = search(compiled.boxes, region, budget, (point, part) => impossible(compiled, point, part) ?? examine(point, part));
    if (outcome.kind === 'found') return { ...outcome, region };
    if (outcome.kind === 'undecided') return outcome;
  }
  return { kind: 'none' };
}
