/** Rules made ready for the engine: what every rule may ask stands in plain numbers, the rest are predicates. */
import type { Chain, Rule } from '../../model/ruleset.js';
import type { Action, Predicate } from '../../packet/traversal.js';
import type { RuleScan } from './rule-scan.js';

/** What a rule does where its target needs no more than that; the values of the first ones are those of `Verdict`. */
export const Step = { Continue: 0, Accept: 1, Drop: 2, Return: 3, Queue: 4, Jump: 6, Goto: 7, Act: 8 } as const;
export type Step = (typeof Step)[keyof typeof Step];

/** An interface that a rule names. Mode 0: any. */
export interface InterfaceTest {
  readonly mode: 0 | 1 | 2;
  readonly name: string;
  readonly negated: boolean;
}

export const exactly = 1;
export const beginsWith = 2;

/** One rule. All have the same shape, so that the loop over them stays fast. */
export interface CompiledRule {
  readonly rule: Rule;
  readonly chain: CompiledChain;
  /** From 1. */
  readonly position: number;
  readonly in: InterfaceTest;
  readonly out: InterfaceTest;
  /** Of IPv6; those of IPv4 are among the quick tests. */
  readonly addresses: readonly Predicate[];
  readonly tests: readonly Predicate[];
  readonly step: Step;
  readonly action: Action | undefined;
  /** Of a jump or goto. */
  readonly to: CompiledChain | undefined;
}

/** A chain. Its rules are made ready when a packet first gets to them: most of most hosts no packet of a witness ever meets. */
export interface CompiledChain {
  readonly table: string;
  readonly chain: Chain;
  /** The rule at an index of the chain's; undefined behind the last. */
  ruleAt(index: number): CompiledRule | undefined;
  /** The quick tests of the rules. */
  readonly scan: RuleScan;
}

/** `filter:INPUT:3` */
export function referenceOf({ chain, position }: CompiledRule): string {
  return `${chain.table}:${chain.chain.name}:${String(position)}`;
}
