/** Which earlier rules take some of a rule's packets, and what they leave. */
import type { Rule, Table } from '../model/ruleset.js';
import type { PacketSample, PartlyShadowed, RuleAt } from './answers.js';
import { partIn, without, type Region } from './boxes.js';
import { Act, ruleAt, type CompiledChain } from './compile.js';
import { allFates, fateBits, leads } from './effect.js';
import { inOrder } from './explain.js';
import { arrival, follow, numberOf, placeOf, regionsOf, searchAll, type HookRegions, type RulePlace } from './question.js';
import { reachOne } from './reach.js';
import { sampleOf } from './sample.js';
import { freshBudget, type Budget, type Examined } from './search.js';
import { shareOf } from './share.js';
import { makeQuery, spaceOf, waysTo, type PacketSpace, type TableSpace } from './space.js';
import { Traversal } from './traverse.js';

const nothing: ReadonlySet<number> = new Set();
/** From none of these does a packet come back. */
const ends = allFates & ~fateBits.side;
/** More parts than this are not counted. */
const partLimit = 1024;
const smallShare = 1 / 16;

/**
 * Whether some packets that would come to a rule are taken, or led away, by earlier ones, in its chain or on the way to
 * it, while others match. `limit`: so many rules are listed; only those that `counts` says yes to. A rule all of whose packets are taken is shadowed (see
 * `reach`), and the answer is no.
 */
export function partlyShadowed(space: PacketSpace, table: Table, at: RuleAt, limit = 16, counts: (rule: Rule) => boolean = () => true, budget: Budget = freshBudget()): PartlyShadowed {
  const known = spaceOf(space, table);
  const number = numberOf(known, at);
  if (known.compiled.cyclic || number === undefined) return { kind: 'undecided' };
  return partlyOf(known, placeOf(known, number), limit, budget, counts);
}

interface Taken {
  readonly point: Int32Array;
  readonly region: Region;
  readonly accepts: (point: Int32Array) => boolean;
}

/** What was found so far. */
interface Takers {
  readonly rules: Set<number>;
  readonly limit: number;
  readonly counts: (rule: Rule) => boolean;
  first: Taken | undefined;
  more: boolean;
  open: boolean;
}

export function partlyOf(space: TableSpace, place: RulePlace, limit: number, budget: Budget, counts: (rule: Rule) => boolean = () => true): PartlyShadowed {
  const live = reachOne(space, place, budget);
  if (live.kind === 'undecided') return live;
  if (live.kind !== 'live') return { kind: 'no' };
  const takers: Takers = { rules: new Set(), limit, counts, first: undefined, more: false, open: false };
  for (const hook of regionsOf(space, place)) for (const region of hook.regions) gather(space, place, hook, region, takers, budget);
  const { first, rules, more, open } = takers;
  if (first === undefined) return { kind: open ? 'undecided' : 'no' };
  let taken: PacketSample | undefined;
  return {
    kind: 'partly-shadowed', by: inOrder(space, rules), more, small: more || open ? undefined : isSmall(space, place, rules),
    get taken() { return taken ??= sampleOf(space.compiled, first, first.accepts); },
    get left() { return live.witness; },
  };
}

/** Looks at each earlier rule on the way that asks for packets of the region. */
function gather(space: TableSpace, place: RulePlace, hook: HookRegions, region: Region, takers: Takers, budget: Budget): void {
  const { chains, boxes, start } = space.compiled;
  for (const [id, jumps] of waysTo(space, place.chain.id)) {
    const chain = chains[id];
    if (chain === undefined) continue;
    // What comes back from a chain between may still come by a later way.
    const end = id === place.chain.id ? start[place.number] ?? chain.from : chain === hook.base ? jumps.at(-1) ?? 0 : chain.to;
    const some = chain.hard.meeting(region, allFates | leads, chain.from, end);
    budget.work -= some.length + 1;
    for (const box of some.sort((a, b) => a - b)) {
      if (boxes.soft[box] === 1 || takers.rules.has(boxes.rule[box] ?? 0) || !takers.counts(ruleAt(space.compiled, boxes.rule[box] ?? 0).rule)) continue;
      if (jumps.includes(box)) {
        // Who goes to a chain that leads here does not come by the other ways any more: whether he comes by this one is not looked into.
        takers.open ||= boxes.act[box] === Act.Goto;
        continue;
      }
      if (takers.rules.size >= takers.limit) {
        takers.more = true;
        return;
      }
      look(space, place, hook, region, box, takers, budget);
    }
  }
}

/** Whether the rule of a box takes some packet of the region that would otherwise come to the place. */
function look(space: TableSpace, place: RulePlace, hook: HookRegions, region: Region, box: number, takers: Takers, budget: Budget): void {
  const part = partIn(region, space.compiled.boxes, box);
  if (part === undefined) return;
  const examine = taking(space, place, hook.base, box);
  const outcome = searchAll(space, [part], budget, examine);
  if (outcome.kind === 'undecided') takers.open = true;
  if (outcome.kind !== 'found') return;
  const whole = arrival(space, place, hook.base);
  const isTaken = (point: Int32Array): boolean => new Traversal(whole, point).goal === undefined;
  // It comes to the rule by another way.
  if (!isTaken(outcome.point)) {
    takers.open = true;
    return;
  }
  takers.rules.add(takerAt(space, box, outcome.point));
  takers.first ??= { point: outcome.point, region: part, accepts: point => isTaken(point) && examine(point, { lo: point, hi: point }).found };
}

/** A packet that, with all other rules missing, can come to the place, comes to the box's rule, and does not come back from it. */
function taking(space: TableSpace, place: RulePlace, base: CompiledChain, box: number): (point: Int32Array, region: Region) => Examined {
  const { boxes } = space.compiled;
  const queries = [arrival(space, placeOf(space, boxes.rule[box] ?? 0), base)];
  if (place.chain !== base) queries.push(arrival(space, place, base, nothing));
  const callee = calleeQuery(space, box);
  if (callee !== undefined) queries.push(callee);
  return (point, region) => {
    let work = 0;
    for (const query of queries) {
      const examined = follow(query, point, region);
      work += examined.work;
      if (!examined.found) return { ...examined, work };
    }
    return { found: true, claim: undefined, work };
  };
}

/** Of a jump: whether the chain below ends a packet's way for certain. */
function calleeQuery({ compiled }: TableSpace, box: number): ReturnType<typeof makeQuery> | undefined {
  const { act, callee } = compiled.boxes;
  const chain = act[box] === Act.Jump ? compiled.chains[callee[box] ?? -1] : undefined;
  return chain === undefined ? undefined : makeQuery(compiled, chain, { goals: ends, strict: true, policy: fateBits.side });
}

/** The rule that takes the packet: that of the box, or of a jump's callee. */
function takerAt(space: TableSpace, box: number, point: Int32Array): number {
  const query = calleeQuery(space, box);
  const goal = query === undefined ? undefined : new Traversal(query, point).goal;
  return goal?.kind === 'rule' ? goal.rule : space.compiled.boxes.rule[box] ?? 0;
}

/** Only where all takers stand in the rule's own chain can what they leave be counted. */
function isSmall(space: TableSpace, place: RulePlace, rules: ReadonlySet<number>): boolean | undefined {
  const { start, boxes, dimensions } = space.compiled;
  const { firstRule } = place.chain;
  if ([...rules].some(rule => rule < firstRule || rule >= place.number)) return undefined;
  const some = [...rules].flatMap(rule => Array.from({ length: (start[rule + 1] ?? 0) - (start[rule] ?? 0) }, (_, i) => (start[rule] ?? 0) + i)).filter(box => boxes.soft[box] === 0);
  let [all, rest] = [0, 0];
  for (const { regions } of regionsOf(space, place)) {
    for (const region of regions) {
      const left = without([region], boxes, some, partLimit);
      if (left === undefined) return undefined;
      all += shareOf(dimensions, region);
      for (const part of left) rest += shareOf(dimensions, part);
    }
  }
  return rest < all * smallShare;
}
