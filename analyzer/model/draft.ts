/** A table while its commands are carried out. */
import type { Span } from '../../grammar/source-text.js';
import type { Hook, TableName } from '../extensions/define.js';
import { builtInChains, type Chain, type Counters, type Policy, type Rule, type Table } from './ruleset.js';

export interface ChainDraft {
  name: string;
  readonly hook: Hook | undefined;
  policy: Policy | undefined;
  policyCounters: Counters | undefined;
  line: number;
  span: Span;
  readonly isStandIn?: boolean;
  /** The file has flushed it: no rule of the host's own is left. */
  isEmptied?: boolean;
  /** Commands that may not be run make it, or fill it: nothing is wrong where another makes it, or takes it away. */
  isInDoubt?: boolean;
  /** The policy that a command gives it that may be run, unless a later one gives it another; undefined where its word is not literal. */
  otherPolicy?: { readonly policy: string | undefined; readonly rule: Rule } | undefined;
  readonly rules: Rule[];
}

/** Where a chain is declared. */
interface Declared extends Span {
  readonly line: number;
}

export class TableDraft {
  readonly name: TableName;
  readonly line: number;
  readonly #span: Span;
  #chains: Map<string, ChainDraft>;
  /** Some command speaks of what is in it: one that only takes away does not make a table. */
  isSaid = false;
  /** Chains whose names nobody knows may be made in it. */
  mayHaveMore = false;
  /** A script speaks of it: there may be chains in it that the script finds, and does not make. */
  isFound = false;
  /** The script has deleted all chains that it found. */
  isBare = false;
  /** Rules that may be put into any chain, and anywhere. */
  readonly anywhere: Rule[] = [];

  constructor(name: TableName, at: Declared) {
    this.name = name;
    this.line = at.line;
    this.#span = { start: at.start, end: at.end };
    this.#chains = new Map(builtInChains[name].map(hook => [hook, { name: hook, hook, policy: 'ACCEPT', policyCounters: undefined, line: 0, span: { start: 0, end: 0 }, rules: [] }]));
  }

  chain(name: string): ChainDraft | undefined {
    return this.#chains.get(name);
  }

  chains(): IterableIterator<ChainDraft> {
    return this.#chains.values();
  }

  /** `isStandIn`: nothing declares it, and a rule is put into it. */
  addChain(name: string, at: Declared, isStandIn = false): ChainDraft {
    const chain: ChainDraft = { name, hook: undefined, policy: undefined, policyCounters: undefined, line: at.line, span: { start: at.start, end: at.end }, ...isStandIn ? { isStandIn } : {}, rules: [] };
    this.#chains.set(name, chain);
    return chain;
  }

  setPolicy(name: string, policy: Policy, counters: Counters | undefined, at: Declared): void {
    const chain = this.#chains.get(name);
    if (chain === undefined) return;
    chain.policy = policy;
    chain.policyCounters = counters;
    chain.otherPolicy = undefined;
    chain.line = at.line;
    chain.span = { start: at.start, end: at.end };
  }

  /** A chain that was there in doubt is made here. */
  declare(name: string, at: Declared): void {
    const chain = this.#chains.get(name);
    if (chain === undefined) return;
    chain.isInDoubt = false;
    chain.line = at.line;
    chain.span = { start: at.start, end: at.end };
  }

  deleteChain(name: string): void {
    this.#chains.delete(name);
  }

  renameChain(from: string, to: string): void {
    this.#chains = new Map([...this.#chains].map(([name, chain]) => {
      if (name !== from) return [name, chain];
      chain.name = to;
      return [to, chain];
    }));
  }

  /** True where a rule of the table jumps or goes to the chain. */
  isCalled(name: string): boolean {
    for (const chain of this.#chains.values()) if (chain.rules.some(rule => rule.target.kind === 'chain' && rule.target.name === name)) return true;
    return false;
  }

  finish(): Table {
    for (const { rules, policy, otherPolicy } of this.#chains.values()) {
      rules.unshift(...this.anywhere);
      if (otherPolicy !== undefined && otherPolicy.policy !== policy) rules.push(otherPolicy.rule);
    }
    return { name: this.name, line: this.line, span: this.#span, chains: this.#chains satisfies ReadonlyMap<string, Chain>, ...this.isFound && !this.isBare ? { mayHaveOthers: true as const } : {} };
  }
}
