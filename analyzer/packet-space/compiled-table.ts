/** What a table is compiled to: every chain a list of boxes of packets, in the order of its rules. */
import type { Chain, Table } from '../model/ruleset.js';
import type { Decider, RuleAt } from './answers.js';
import type { BoxIndex } from './box-index.js';
import type { Boxes } from './boxes.js';
import type { Dimensions } from './dimensions.js';
import type { FateRegister } from './effect.js';

/** What happens to a packet that matches a box. */
export const Act = { Skip: 0, End: 1, Return: 2, Jump: 3, Goto: 4, /** Ends or goes on. */ Maybe: 5, /** Goes on, and somebody may notice. */ Side: 6 } as const;

/**
 * The boxes of a table, chain after chain. Those of one rule stand together, the certain ones first. A jump's box is cut
 * down to packets that match anything in the callee: with all others, the jump does nothing.
 */
export interface RuleBoxes extends Boxes {
  /** Of each box: the rule's number in the table. */
  readonly rule: Int32Array;
  /** 1 where matching hangs on something unknown. */
  readonly soft: Uint8Array;
  readonly act: Uint8Array;
  /** The chain that a jump or goto leads to, else -1. */
  readonly callee: Int32Array;
}

export interface CompiledChain {
  readonly id: number;
  readonly chain: Chain;
  /** Its boxes are `from` … `to - 1`. */
  readonly from: number;
  readonly to: number;
  /** The number of its first rule; the others follow. */
  readonly firstRule: number;
  /** Boxes that end, lead away or lead on for certain, and all RETURNs and jumps. */
  readonly hard: BoxIndex;
  /** Everything that does anything. */
  readonly full: BoxIndex;
  /** Boxes of RETURN and goto. */
  readonly leaving: Int32Array;
  /** Some rule here or below ends the traversal for certain. */
  readonly canStop: boolean;
  /** All fates that rules here or below may lead to, and side effects. */
  readonly fates: number;
}

export interface CompiledTable {
  readonly table: Table;
  readonly dimensions: Dimensions;
  readonly fates: FateRegister;
  readonly chains: readonly CompiledChain[];
  readonly chainIds: ReadonlyMap<string, number>;
  readonly ruleCount: number;
  readonly boxes: RuleBoxes;
  /** What the rules themselves ask, jumps too. */
  readonly own: Boxes;
  /** The boxes of rule n are start[n] … start[n + 1] - 1. */
  readonly start: Int32Array;
  /** Chains with callers first. */
  readonly order: readonly number[];
  /** Jumps go round in a circle, or chains are nested far too deep: the kernel refuses the table, and no question has an answer. */
  readonly cyclic: boolean;
}

/** The chain of a rule, by the rule's number. */
export function chainOf({ chains }: Pick<CompiledTable, 'chains'>, rule: number): CompiledChain {
  let low = 0;
  let high = chains.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((chains[middle]?.firstRule ?? 0) <= rule) low = middle;
    else high = middle - 1;
  }
  const chain = chains[low];
  if (chain === undefined) throw new RangeError(`rule ${String(rule)}`);
  return chain;
}

/** A rule by its number. */
export function ruleAt(compiled: CompiledTable, number: number): RuleAt {
  const { chain, firstRule } = chainOf(compiled, number);
  const rule = chain.rules[number - firstRule];
  if (rule === undefined) throw new RangeError(`rule ${String(number)}`);
  return { table: compiled.table.name, chain: chain.name, position: number - firstRule + 1, rule };
}

/** A rule, or the policy of a built-in chain, as who decided. */
export function policyOf({ table }: CompiledTable, chain: CompiledChain): Decider {
  return { table: table.name, chain: chain.chain.name, policy: chain.chain.policy ?? 'ACCEPT' };
}
