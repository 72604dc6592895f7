/** Look-outs for rules: where a rule stands, and what leads to it. */
import { Step, type Chains, type PipelineChain } from './chains.js';

/** Boxes of a chain that lead towards a rule, sorted. */
export type Leads = (chain: PipelineChain) => readonly number[];

/** A rule that is looked out for. */
export interface Watch {
  readonly rule: number;
  readonly chain: number;
  readonly from: number;
  readonly to: number;
  /** Boxes that lead to it: its own, and the jumps. */
  readonly leads: Leads;
  /** Those among them that do nothing, so that no search for what is done comes by them. */
  readonly idle: Leads;
}

const none: readonly number[] = [];

/** The first box of a rule in its chain, whose boxes stand in the order of its rules, and these are numbered in that order. */
export function firstBoxOf({ rule, count }: PipelineChain, number: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rule[middle] ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The boxes of a rule: the first, and the one behind the last. Undefined where it has none: no packet can match it. */
export function boxesOf(chains: Chains, number: number): readonly [number, number] | undefined {
  const chain = chains.list[chains.chainOf[number] ?? -1];
  if (chain === undefined) return undefined;
  const from = firstBoxOf(chain, number);
  let to = from;
  while (to < chain.count && chain.rule[to] === number) to++;
  return to === from ? undefined : [from, to];
}

/** Undefined where no packet can match the rule. */
export function watchFor(chains: Chains, number: number): Watch | undefined {
  const boxes = boxesOf(chains, number);
  const chain = chains.list[chains.chainOf[number] ?? -1];
  if (boxes === undefined || chain === undefined) return undefined;
  const [from, to] = boxes;
  const own = Array.from({ length: to - from }, (_, i) => from + i);
  const ownIdle = idleOf(chain, own);
  const above = jumpsTo(chains, chain.id);
  return { rule: number, chain: chain.id, from, to, leads: one => one.id === chain.id ? own : above(one).all, idle: one => one.id === chain.id ? ownIdle : above(one).idle };
}

function idleOf({ bits, act }: PipelineChain, boxes: readonly number[]): readonly number[] {
  return boxes.filter(box => bits[box] === 0 && act[box] !== Step.Skip);
}

interface Jumps {
  readonly all: readonly number[];
  readonly idle: readonly number[];
}

const noJumps: Jumps = { all: none, idle: none };

/** The last that was asked for: rules of one chain mostly follow each other. */
const last = new WeakMap<Chains, { readonly to: number; readonly jumps: (chain: PipelineChain) => Jumps }>();

/** Jumps that lead to a chain, in those that call it, over any number of others. */
function jumpsTo(chains: Chains, to: number): (chain: PipelineChain) => Jumps {
  let known = last.get(chains);
  if (known?.to !== to) last.set(chains, known = { to, jumps: findJumps(chains, to) });
  return known.jumps;
}

function findJumps({ callers }: Chains, to: number): (chain: PipelineChain) => Jumps {
  // By chain: its rules that call this one, or one that leads here.
  const calling = new Map<number, number[]>();
  const above = new Set([to]);
  for (const id of above) for (const [caller, rule] of callers.get(id) ?? []) {
    above.add(caller);
    const known = calling.get(caller);
    if (known === undefined) calling.set(caller, [rule]);
    else known.push(rule);
  }
  const known = new Map<number, Jumps>();
  return chain => {
    const rules = calling.get(chain.id);
    if (rules === undefined) return noJumps;
    let jumps = known.get(chain.id);
    if (jumps === undefined) {
      const all = boxesOfAll(chain, rules);
      known.set(chain.id, jumps = { all, idle: idleOf(chain, all) });
    }
    return jumps;
  };
}

/** The boxes of some rules of a chain, in order. */
function boxesOfAll(chain: PipelineChain, rules: readonly number[]): readonly number[] {
  return [...rules].sort((a, b) => a - b).flatMap(rule => {
    const boxes: number[] = [];
    for (let box = firstBoxOf(chain, rule); chain.rule[box] === rule; box++) boxes.push(box);
    return boxes;
  });
}
