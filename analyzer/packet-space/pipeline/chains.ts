/** Every chain of a rule set as boxes over one and the same packet space, so that a packet can be followed from table to table. */
import type { Hook } from '../../extensions/define.js';
import type { builtInChains, Rule, Ruleset } from '../../model/ruleset.js';
import type { Constraint } from '../../packet/constraint.js';
import type { Rewriting } from '../../packet/rewriting.js';
import type { RuleAt } from '../answers.js';
import type { BoxIndex } from '../box-index.js';
import type { Boxes } from '../boxes.js';
import type { Dimensions } from '../dimensions.js';
import type { Cell } from '../product.js';
import type { Tracking } from '../tracking.js';
import type { Write } from './values.js';

/** What a packet that matches a box does next. */
export const Step = { /** Nothing that matters to where a packet goes. */ Skip: 0, Accept: 1, Drop: 2, Leave: 3, Jump: 4, Goto: 5, /** Writes, and goes on. */ Write: 6 } as const;

/** The boxes of one chain in the order of its rules. `bits`: what may come of a match here or below. */
export interface PipelineChain extends Boxes {
  readonly id: number;
  readonly name: string;
  readonly table: string;
  /** The number of its first box among those of all chains. */
  readonly firstBox: number;
  /** Of each box: its rule's number; -1 for what no rule says. */
  readonly rule: Int32Array;
  readonly act: Uint8Array;
  /** The chain that is called, else -1. */
  readonly callee: Int32Array;
  /** The first box of the next rule. */
  readonly end: Int32Array;
  /** 1 where it hangs on something unknown: each packet and each passing may choose. */
  readonly soft: Uint8Array;
  /** 1 where even whether the rule matches does. */
  readonly doubt: Uint8Array;
  /** Properties asked: number · 2 + wanted. Empty where no box asks any. */
  readonly atoms: readonly (readonly number[] | undefined)[];
  /** Empty where no box writes anything. */
  readonly writes: readonly (readonly Write[] | undefined)[];
  /** The chains that are called. */
  readonly callees: readonly number[];
  /** What boxes do that write. */
  readonly writing: readonly { readonly act: number; readonly writes: readonly Write[] }[];
  /** Some box asks for a property of which something is known. */
  readonly asksAtoms: boolean;
  readonly index: BoxIndex;
  /** The fields of which some box says something. */
  readonly asks: readonly number[];
  /** What may come of any box from here to the end. */
  readonly suffix: Int32Array;
  /** What may come of the chain. */
  readonly does: number;
  readonly policy: 'ACCEPT' | 'DROP' | undefined;
}

export interface Chains {
  readonly ruleset: Ruleset;
  /** What the rules make the kernel do. */
  readonly tracking: Tracking;
  readonly dimensions: Dimensions;
  /** Dimensions below this one are fields; the others are properties. */
  readonly fieldCount: number;
  readonly rules: readonly RuleAt[];
  readonly numbers: ReadonlyMap<Rule, number>;
  readonly list: readonly PipelineChain[];
  /** By `table CHAIN`. */
  readonly ids: ReadonlyMap<string, number>;
  /** Of all boxes, chain after chain: the rule's number; -1 for what no rule says. */
  readonly ruleOfBox: Int32Array;
  /** By rule number: its boxes before anything is known of where it stands; what it asks. */
  readonly cells: (rule: number) => readonly Cell[];
  /** Rules that write something some rule may test, by number. */
  readonly writers: ReadonlyMap<number, readonly Write[]>;
  /** Chains, by id, that have a rule which calls them: [caller, rule number]. */
  readonly callers: ReadonlyMap<number, readonly (readonly [number, number])[]>;
  /** By rule number: the chain that it stands in. */
  readonly chainOf: Int32Array;
  /** A chain, and all that can be called from it. */
  readonly below: (chain: number) => ReadonlySet<number>;
  /** A table whose jumps go in circles: nothing can be asked. */
  readonly cyclic: boolean;
}

/** A chain that no rule set has, made for what the kernel itself does. */
export interface ExtraChain {
  readonly name: string;
  readonly policy: 'ACCEPT' | 'DROP';
  readonly rules: readonly { readonly asks: Constraint; readonly step: 1 | 2 | 6; readonly rewritings: readonly Rewriting[]; readonly soft: boolean }[];
}

/** Built-in chains by table and hook. */
export function baseChain({ ids, ruleset }: Chains, table: keyof typeof builtInChains, hook: Hook): number {
  return ruleset.tables.get(table)?.chains.get(hook) === undefined ? -1 : ids.get(`${table} ${hook}`) ?? -1;
}
