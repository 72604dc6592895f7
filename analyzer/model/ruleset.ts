/** A rule set as the kernel would hold it after loading: tables, chains and rules, typed and resolved. */
import type { SourceText, Span } from '../../grammar/source-text.js';
import type { AnyMatch, AnyTarget, Given, Hook, TableName } from '../extensions/define.js';
import type { KnownSets } from '../packet/ip-sets.js';
import type { Use } from '../extensions/use.js';
import type { AddressMask } from '../values/address-mask.js';
import type { InterfaceName } from '../values/interface-name.js';
import type { Backend, Family } from '../values/value.js';

/** A name that only the machine could resolve: nothing is known of what it stands for. */
export interface UnresolvedName {
  readonly name: string;
}

/** A match or target that is not in the registry: it may do anything. */
export interface OpaqueUse {
  readonly opaque: string;
  /** Its options, word by word. */
  readonly words: readonly string[];
}

/** A match of a rule: known, or of an extension that nobody declares. */
export type MatchUse = Use<AnyMatch> | OpaqueUse;

/** What a rule does with the packets that match. */
export type RuleTarget =
  /** No `-j`: only the counters move. */
  | { readonly kind: 'none' }
  | { readonly kind: 'extension'; readonly use: Use<AnyTarget> }
  /** `-j CHAIN` or, with `goto`, `-g CHAIN`. */
  | { readonly kind: 'chain'; readonly name: string; readonly goto: boolean }
  | { readonly kind: 'opaque'; readonly use: OpaqueUse };

/** What a rule or policy has counted, as `[packets:bytes]` in the file. */
export interface Counters {
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** What a rule asks and does, wherever it stands. */
export interface RuleBody {
  readonly source: Given<AddressMask | UnresolvedName> | undefined;
  readonly destination: Given<AddressMask | UnresolvedName> | undefined;
  readonly inInterface: Given<InterfaceName> | undefined;
  readonly outInterface: Given<InterfaceName> | undefined;
  /** An IP protocol number, 1 to 255. */
  readonly protocol: Given<number | UnresolvedName> | undefined;
  /** `-f`: later fragments only. */
  readonly fragment: Given<true> | undefined;
  readonly matches: readonly MatchUse[];
  readonly target: RuleTarget;
}

/** A rule as it stands in a chain, and where in the file. */
export interface Rule extends RuleBody {
  /** In its file: the line (from 1) and the offsets of the statement. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly counters: Counters | undefined;
  /** It could not be read: of what it asks only a part is known, and of what it does nothing, unless it is a jump to a chain that is there. */
  readonly isUnread?: true;
}

/** What becomes of a packet at the end of a base chain. */
export type Policy = 'ACCEPT' | 'DROP';

/** A chain with its rules, in order. */
export interface Chain {
  readonly name: string;
  /** The hook that a built-in chain stands at; undefined for a user's chain. */
  readonly hook: Hook | undefined;
  /** Of a built-in chain. ACCEPT where the file says nothing. */
  readonly policy: Policy | undefined;
  readonly policyCounters: Counters | undefined;
  /** Where it is declared; line 0 where it is not. */
  readonly line: number;
  readonly span: Span;
  /** Nothing declares it, and a rule is put into it: that is an error, unless a script finds it, and there it is. */
  readonly isStandIn?: boolean;
  readonly rules: readonly Rule[];
}

/** A table with its chains, by name. */
export interface Table {
  readonly name: TableName;
  /** Where its `*` line is; 0 where there is none. */
  readonly line: number;
  readonly span: Span;
  /** Built-in chains first, in the order of the hooks; then the user's, in the order of the file. */
  readonly chains: ReadonlyMap<string, Chain>;
  /** There may be chains in it that a script finds, and does not make. */
  readonly mayHaveOthers?: true;
}

/** All tables of one family, as one iptables-restore would load them. */
export interface Ruleset {
  readonly source: SourceText;
  readonly family: Family;
  readonly backend: Backend;
  /** In the order of the file. */
  readonly tables: ReadonlyMap<TableName, Table>;
  /** What is in the sets that its rules name, where somebody said it. */
  readonly sets?: KnownSets;
}

/** No table is loaded: every packet goes its way. */
export function emptyRuleset(family: Family): Ruleset {
  return { source: { path: 'rules', text: '' }, family, backend: 'nft', tables: new Map() };
}

/** The built-in chains of each table, in the order of the hooks. */
export const builtInChains: Readonly<Record<TableName, readonly Hook[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

export function isTableName(name: string): name is TableName {
  return Object.hasOwn(builtInChains, name);
}

export function isUnresolved(value: AddressMask | InterfaceName | number | UnresolvedName): value is UnresolvedName {
  return typeof value === 'object' && 'name' in value && !('prefix' in value) && !('mask' in value);
}

/** Stands for what a rule that could not be read asks, and does. */
export function unreadUse(words: readonly string[]): OpaqueUse {
  return { opaque: '', words };
}

/** Why nothing is known of a match or target. */
export function whyOpaque({ opaque, words }: OpaqueUse, kind: 'match' | 'target'): string {
  return opaque === '' ? `the rule \`${words.join(' ')}\` could not be read` : `${kind} \`${opaque}\` is not known`;
}

export function isOpaque(use: MatchUse): use is OpaqueUse {
  return 'opaque' in use;
}

/** `filter:INPUT:3`: rules count from 1 within their chain. */
export function ruleReference(table: string, chain: string, position: number): string {
  return `${table}:${chain}:${String(position)}`;
}
