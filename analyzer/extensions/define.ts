/**
 * How a match or a target is declared: as data. Reading, printing, generating and
 * meaning all come from the declaration; a file of `matches/` or `targets/` is one
 * call of `defineMatch` or `defineTarget`.
 */
import type { Constraint } from '../packet/constraint.js';
import type { ProtocolName } from '../packet/protocols.js';
import type { Rewriting } from '../packet/rewriting.js';
import type { SetContents } from '../packet/ip-sets.js';
import type { Action, Predicate, World } from '../packet/traversal.js';
import type { Arbitrary, Backend, Family, Fc, Value, ValueContext } from '../values/value.js';

/** The tables of iptables. */
export type TableName = 'raw' | 'mangle' | 'nat' | 'filter' | 'security';
/** Where in the kernel a base chain is called; its name is the same. */
export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

/** An option as the user gave it. */
export interface Given<T> {
  readonly negated: boolean;
  readonly value: T;
}

export interface OptionDefinition<T> {
  /** Every spelling; the first is the one that is saved. */
  readonly names: readonly [string, ...string[]];
  readonly doc: string;
  readonly value: Value<T>;
  /** May `!` stand before it? */
  readonly negatable: boolean;
  /** What a second use does: it is refused, or the last one counts. */
  readonly repeat: 'refused' | 'last';
  readonly required: boolean;
  /** Keys of options that must not be given with it. */
  readonly excludes: readonly string[];
  /** Keys of options that must be given with it. */
  readonly needs: readonly string[];
  /** What it asks of a packet where it is given without `!`. */
  readonly means?: (value: T, cx: ValueContext) => Constraint;
  /** The words that save it, its `!` and name included; '' where nothing is saved. Absent: name and value. */
  readonly save?: (given: Given<T>, cx: ValueContext) => string;
}

type OptionInput<T> = Pick<OptionDefinition<T>, 'names' | 'doc' | 'value'> & Partial<OptionDefinition<T>>;

/** Declares an option. Unless said otherwise: not negatable, given once, not required. */
export function option<T>(input: OptionInput<T>): OptionDefinition<T> {
  return { negatable: false, repeat: 'refused', required: false, excludes: [], needs: [], ...input };
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the one place where options of all types meet
export type AnyOption = OptionDefinition<any>;
export type Options = Readonly<Record<string, AnyOption>>;

/** What was given, by option key. */
export type GivenOf<O extends Options> = {
  readonly [K in keyof O]?: O[K] extends OptionDefinition<infer T> ? Given<T> : never;
};

/** One use of an option, for the few extensions in which the order counts. */
export interface OrderedOption {
  readonly key: string;
  readonly negated: boolean;
  readonly value: unknown;
}

/** What a check of a whole match or target may look at. */
export interface RuleContext extends ValueContext {
  readonly table: string;
  readonly ordered: readonly OrderedOption[];
  /** What is in the sets that rules name, where somebody said it. */
  readonly sets?: SetContents | undefined;
}

/** What a match or target is compiled with, once for each rule of a host. */
export interface EngineContext extends RuleContext {
  readonly world: World;
}

/**
 * A rule as typed (without `-A CHAIN`), and what `iptables-save` prints for it: `=` the
 * same, undefined where it is refused. Default place: filter INPUT, IPv4.
 */
export type Example = readonly [
  rule: string,
  saved: string | undefined,
  where?: { readonly table?: TableName; readonly chain?: Hook; readonly family?: Family },
];

/** A match that stands in the same rule. */
export interface OtherMatch {
  readonly name: string;
  readonly given: Readonly<Record<string, Given<unknown> | undefined>>;
}

interface ExtensionDefinition<O extends Options> {
  readonly name: string;
  /** One sentence for `explain` and the editor. */
  readonly doc: string;
  /** Absent: both. */
  readonly families?: readonly Family[];
  readonly options: O;
  /** Only the loader of this backend takes it. Absent: both. */
  readonly backends?: readonly Backend[];
  /** The kernel takes it only with `-p` one of these, not negated. */
  readonly protocols?: readonly ProtocolName[];
  /** The kernel takes it only in these tables. */
  readonly tables?: readonly TableName[];
  /**
   * The kernel takes it only in chains that are reached from these hooks and no others. A function where it
   * hangs on the options: the module's own checkentry asks then, and nft lets it ask in base chains only.
   */
  readonly hooks?: readonly Hook[] | ((given: GivenOf<O>) => readonly Hook[] | undefined);
  /**
   * Loading a rule with it switches connection tracking on (nf_ct_netns_get() in its checkentry), or accounting too; or it only
   * has fragments put together (nf_defrag_ipv4_enable()). A function where it hangs on the options.
   */
  readonly tracks?: true | 'accounting' | 'fragments' | ((given: GivenOf<O>) => boolean);
  /** What it remembers has a name (`world.shared`), and begins when the rules are loaded, not when a packet first comes to one of them. */
  readonly shares?: true;
  /** `check`, `save` or `means` look at the order of the options. */
  readonly usesOrder?: true;
  /** What is wrong with the options taken together; undefined where nothing is. */
  readonly check?: (given: GivenOf<O>, cx: RuleContext) => string | undefined;
  /** What is wrong with it beside the other matches of its rule; undefined where nothing is. */
  readonly checkRule?: (matches: readonly OtherMatch[], backend: Backend) => string | undefined;
  /**
   * The words behind `-m NAME` or `-j NAME`; undefined where nothing of it is saved, not even its name.
   * Absent: each given option in the order of declaration.
   */
  readonly save?: (given: GivenOf<O>, cx: RuleContext) => string | undefined;
  /** The words behind `-m NAME` of any legal use. Absent: drawn from the options. */
  readonly arbitrary?: (fc: Fc, cx: ValueContext) => Arbitrary<readonly string[]>;
  /** Why this cannot be loaded on a current kernel, if it cannot; it is read and printed all the same. */
  readonly retired?: string;
  /** What must be on the machine before it can be loaded, if anything; no use is generated then. */
  readonly needsOnMachine?: string;
  readonly examples: readonly Example[];
}

/** What a match does with a list that rules keep themselves. */
export interface KeptList {
  readonly list: string;
  readonly does: 'puts' | 'asks';
  /** Which of a packet's addresses it is about. */
  readonly side: 'src' | 'dst';
  readonly negated: boolean;
}

export interface MatchDefinition<O extends Options = Options> extends ExtensionDefinition<O> {
  readonly kind: 'match';
  /** Under which name it is saved, where that is another one. */
  readonly savedAs?: string;
  /** Whether iptables-nft makes expressions of it: those of several in one rule it saves as one. */
  readonly isNative?: (given: GivenOf<O>, cx: ValueContext) => boolean;
  /** To be asked is noticed later: by a list, a count, a label or a mark. Those that answer what is unknown need not say so. */
  readonly remembers?: true;
  /** What every use asks besides its options, as that the packet is no later fragment. */
  readonly requires?: Constraint;
  /** So many bytes of the transport header must be there: later fragments do not match, and a packet that is cut short is dropped. */
  readonly header?: number;
  /** It tells what comes too often, or is too much, from what is not: whether it matches `below` the bound or `above`; undefined: this use does not. */
  readonly bounds?: (given: GivenOf<O>) => 'below' | 'above' | undefined;
  /** It is about a list of addresses that rules keep themselves: whether it `puts` the packet's on the list, or `asks` if it is on it; undefined: this use does neither. */
  readonly keeps?: (given: GivenOf<O>, ordered: readonly OrderedOption[]) => KeptList | undefined;
  /** What the whole match asks of a packet. Absent: `requires` and what all its options ask, together. */
  readonly means?: (given: GivenOf<O>, cx: RuleContext) => Constraint;
  /**
   * What it answers for one packet. Absent: what it asks (`means`), asked of the packet; that does where
   * there is nothing in it but fields. State lives in the closure, or in `world.shared` where it has a name.
   */
  readonly matches?: (given: GivenOf<O>, cx: EngineContext) => Predicate;
}

/** What a target does to the packet's way. */
export type Effect =
  /** The chain goes on behind the rule. */
  | 'continue'
  | 'accept' | 'drop' | 'reject' | 'return'
  /** The table is left, and what happens then is somebody else's decision. */
  | 'queue'
  /** The packet's addresses or ports are rewritten, and the table is left. */
  | 'nat'
  /** It may do one or the other (`NFQUEUE --queue-bypass`, an unknown target). */
  | 'unknown';

export interface TargetDefinition<O extends Options = Options> extends ExtensionDefinition<O> {
  readonly kind: 'target';
  readonly effect: Effect | ((given: GivenOf<O>) => Effect);
  /** Each packet that comes to it leaves a line in a log. */
  readonly logs?: true;
  /** What later rules may read differently behind this target. */
  readonly changes?: readonly ('mark' | 'connmark' | 'ttl' | 'dscp' | 'ecn' | 'state' | 'addresses' | 'tcp' | 'sets')[];
  /** The same as data, where it is known what is written; `hook` is where the rule runs. Absent: nobody knows what becomes of what it `changes`. */
  readonly rewrites?: (given: GivenOf<O>, cx: RuleContext & { readonly hook: Hook }) => readonly Rewriting[];
  /** What it does to one packet. Absent: nothing but its effect (`continue`, `accept`, `drop`, `return`, `queue`). */
  readonly apply?: (given: GivenOf<O>, cx: EngineContext) => Action;
  /** Saved as `-j OTHER …`, as a target that took its place. */
  readonly savedAs?: string;
}

type Input<D, O extends Options> = Omit<D, 'kind' | 'name' | 'options'> & { readonly options: O };

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- definitions of all option types meet in the registry
export type AnyMatch = MatchDefinition<any>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
export type AnyTarget = TargetDefinition<any>;
export type AnyExtension = AnyMatch | AnyTarget;

/** A definition under its name. It is made when it is first asked for: a rule set uses a few of a hundred, and making them all is felt at start-up. */
export interface Declared<D> {
  readonly name: string;
  readonly define: () => D;
}

function once<D>(make: () => D): () => D {
  let made: D | undefined;
  return () => made ??= make();
}

/** Declares a match; its file in `matches/` and one line in `matches/index.ts` are all it takes. */
export function defineMatch<const O extends Options>(name: string, input: () => Input<MatchDefinition<O>, O>): Declared<MatchDefinition<O>> {
  return { name, define: once(() => ({ kind: 'match', name, ...input() })) };
}

/** Declares a target; its file in `targets/` and one line in `targets/index.ts` are all it takes. */
export function defineTarget<const O extends Options>(name: string, input: () => Input<TargetDefinition<O>, O>): Declared<TargetDefinition<O>> {
  return { name, define: once(() => ({ kind: 'target', name, ...input() })) };
}
