/** What exact reasoning answers. */
import type { Hook } from '../extensions/define.js';
import type { Rule } from '../model/ruleset.js';

/** A rule and where it stands. */
export interface RuleAt {
  readonly table: string;
  readonly chain: string;
  /** From 1. */
  readonly position: number;
  readonly rule: Rule;
}

/** What decided a packet's fate in a chain: a rule, or the policy of the built-in chain. */
export type Decider = RuleAt | { readonly table: string; readonly chain: string; readonly policy: 'ACCEPT' | 'DROP' };

/** How a packet leaves a built-in chain. */
export type Fate = 'accept' | 'drop' | 'reject' | 'queue' | 'nat' | 'unknown';

/** A packet, by field, as a person would choose it; fields that do not matter are absent. */
export interface PacketSample {
  readonly src?: string;
  readonly dst?: string;
  readonly in?: string;
  readonly out?: string;
  readonly protocol?: number;
  readonly sport?: number;
  readonly dport?: number;
  /** Bits of the TCP header's flags. */
  readonly tcpFlags?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  readonly ctstate?: string;
  readonly fragment?: boolean;
  readonly mark?: number;
  readonly length?: number;
  readonly ttl?: number;
  /** Properties that are not modelled further, and how they must be for this packet: `-m owner --uid-owner 0` → true. */
  readonly atoms?: Readonly<Record<string, boolean>>;
}

/** Whether any packet can match a rule. */
export type Reach =
  | { readonly kind: 'live'; readonly hook: Hook; readonly witness: PacketSample }
  /** Its own criteria exclude each other, or the hook has no such packets. */
  | { readonly kind: 'contradiction' }
  /** No built-in chain leads to its chain with packets of this kind; `by` is empty where nothing calls the chain at all. */
  | { readonly kind: 'unreachable-chain'; readonly by: readonly RuleAt[] }
  /** Earlier rules take all of its packets: a minimal list of them, in the order in which a packet meets them. */
  | { readonly kind: 'shadowed'; readonly by: readonly RuleAt[] }
  /** The budget ran out. */
  | { readonly kind: 'undecided' };

/** Whether a rule that does match packets could go without any packet faring differently. */
export type Redundancy =
  /** `because`: the rules (or policy) that do the same to its packets. */
  | { readonly kind: 'redundant'; readonly because: readonly Decider[] }
  | { readonly kind: 'needed'; readonly witness: PacketSample }
  | { readonly kind: 'undecided' };

/** Whether some packet of a set can have one of the fates that were asked for. */
export type Answer =
  | { readonly kind: 'yes'; readonly witness: PacketSample; readonly by: Decider; /** It does not hang on anything unknown. */ readonly certain: boolean }
  /** `by`: who decides otherwise. */
  | { readonly kind: 'no'; readonly by: readonly Decider[] }
  | { readonly kind: 'undecided' };

/** Whether earlier rules take some of a rule's packets. */
export type PartlyShadowed =
  | {
    readonly kind: 'partly-shadowed';
    /** Rules that take some, in the order in which a packet meets them. */
    readonly by: readonly RuleAt[];
    /** There are more than are listed. */
    readonly more: boolean;
    /** Less than a sixteenth of what the rule asks for is left; undefined where that is too much to count. */
    readonly small: boolean | undefined;
    /** A packet of the rule that one of `by` takes. */
    readonly taken: PacketSample;
    /** One that matches the rule. */
    readonly left: PacketSample;
  }
  /** None of its packets is taken, or it has none. */
  | { readonly kind: 'no' }
  | { readonly kind: 'undecided' };

/**
 * Earlier rules of the same chain that decide otherwise about some of the packets that a rule asks for. `correlated`:
 * each of the two asks for packets that the other does not. `generalization`: the earlier asks for fewer, and is an
 * exception.
 */
export type Overlap =
  | {
    readonly kind: 'correlated' | 'generalization';
    readonly with: readonly RuleAt[];
    /** There are more than are listed. */
    readonly more: boolean;
    /** A packet that both ask for, the rule and the first of the others. */
    readonly witness: PacketSample;
  }
  | { readonly kind: 'no' }
  | { readonly kind: 'undecided' };

/** What stands between a rule and earlier ones. */
export type Relation = { readonly rule: RuleAt } & (
  | Extract<PartlyShadowed, { kind: 'partly-shadowed' }>
  | Extract<Overlap, { kind: 'correlated' | 'generalization' }>
  /** One of the three was left open. */
  | { readonly kind: 'undecided' });
