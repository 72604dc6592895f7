/**
 * Changed rules that cannot matter, found without following any packet. Where two rule sets part for the first time, both are in
 * the same chain, behind the same rules: one meets a rule that the other has not there. Where all that the other still meets in the
 * chain on the packets of that rule does the same, they do not part. What is left is searched.
 */
import { anything, Does } from '../classes.js';
import type { Region } from '../../boxes.js';
import { Step, type Chains, type PipelineChain } from '../chains.js';
import type { Joint } from '../joint.js';
import { boxesOf } from '../watch.js';

/** The numbers of rules of one of the two at which they may part. */
export function partings({ sides, kept, partner, policies }: Joint, side: 0 | 1): number[] {
  const [own, other] = [sides[side].chains, sides[side === 0 ? 1 : 0].chains];
  const open: number[] = [];
  // The place in the other chain behind which it is, once both are behind the last rule that they share.
  let [chain, reached] = [-1, 0];
  for (let number = 0; number < own.rules.length; number++) {
    const id = own.chainOf[number] ?? -1;
    if (id !== chain) [chain, reached] = [id, 0];
    const like = partner[side][number] ?? -1;
    if (kept[side][number] === 1) reached = boxesOf(other, like)?.[1] ?? reached;
    else if (!isIdle(own, number) && !isNeutral({ own, other, policies, partner: partner[side === 0 ? 1 : 0] }, number, like, reached)) open.push(number);
  }
  return open;
}

/** It changes nothing about any packet. */
function isIdle(chains: Chains, number: number): boolean {
  const chain = chains.list[chains.chainOf[number] ?? -1];
  const [from, to] = boxesOf(chains, number) ?? [0, 0];
  for (let box = from; box < to; box++) if (chain?.act[box] !== Step.Skip && (chain?.bits[box] ?? 0) !== 0) return false;
  return true;
}

interface Both {
  readonly own: Chains;
  readonly other: Chains;
  readonly policies: readonly string[];
  /** Of each rule of the other, its like. */
  readonly partner: Int32Array;
}

function isNeutral(both: Both, number: number, like: number, reached: number): boolean {
  const { own, other, policies } = both;
  const chain = own.list[own.chainOf[number] ?? -1];
  const at = own.rules[number];
  const there = at === undefined ? undefined : other.list[other.ids.get(`${at.table} ${at.chain}`) ?? -1];
  if (chain === undefined || at === undefined) return false;
  // The rules that call a chain which only one of them has are changed, too; where it has not even the built-in chain, all is accepted.
  if (there === undefined) return chain.policy === undefined;
  const [from, to] = boxesOf(own, number) ?? [0, 0];
  const end = endOf(chain, from, to);
  if (end === 0) return false;
  const until = like >= 0 ? boxesOf(other, like)?.[0] ?? 0 : there.count;
  if (like < 0 && (policies.includes(`${at.table} ${at.chain}`) || (there.policy === 'ACCEPT' ? Does.accept : there.policy === 'DROP' ? Does.drop : 0) !== end)) return false;
  // Rejects may differ in their words.
  const others = anything & ~(end === Does.reject ? 0 : end);
  for (let box = from; box < to && reached < until; box++) if (isDisturbed(both, number, there, regionOf(chain, box), others, reached, until)) return false;
  return true;
}

/**
 * Whether boxes from `from` to `to` that do something else can hold packets of the region which have come to the rule. Those that end the
 * chain, and that stand before the rule, too, where it is, have been passed.
 */
function isDisturbed({ own, partner }: Both, number: number, there: PipelineChain, region: Region, others: number, from: number, to: number): boolean {
  if (!there.index.any(region, others, from, to)) return false;
  return there.index.meeting(region, others, from, to).some(box => {
    const like = partner[there.rule[box] ?? -1] ?? -1;
    const isEnd = there.act[box] === Step.Accept || there.act[box] === Step.Drop || there.act[box] === Step.Leave;
    return !isEnd || like < 0 || like >= number || own.chainOf[like] !== own.chainOf[number];
  });
}

/** The one thing that a rule does to all that it matches: end the packet's way through the table; else 0. */
function endOf({ act, bits, soft, atoms, writes }: PipelineChain, from: number, to: number): number {
  const end = bits[from] ?? 0;
  for (let box = from; box < to; box++) {
    const isEnd = act[box] === Step.Accept || act[box] === Step.Drop;
    if (!isEnd || bits[box] !== end || soft[box] === 1 || atoms[box] !== undefined || writes[box] !== undefined) return 0;
  }
  return end;
}

function regionOf({ at, dim, lo, hi, last }: PipelineChain, box: number): Region {
  const region = { lo: new Int32Array(last.length), hi: last.slice() };
  for (let i = at[box] ?? 0, end = at[box + 1] ?? 0; i < end; i++) {
    const d = dim[i] ?? 0;
    region.lo[d] = Math.max(region.lo[d] ?? 0, lo[i] ?? 0);
    region.hi[d] = Math.min(region.hi[d] ?? 0, hi[i] ?? 0);
  }
  return region;
}
