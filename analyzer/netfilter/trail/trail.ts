/** What happened to a packet, in the order in which it happened: for people to read. */

import type { NearMiss } from './near-misses.js';

/** The rule met, and what it decided. Only rules that matched are met. */
export interface RuleEntry {
  readonly kind: 'rule';
  /** `filter:INPUT:3` */
  readonly ref: string;
  readonly table: string;
  readonly chain: string;
  /** From 1. */
  readonly position: number;
  /** In the file it was loaded from, from 1; 0 where it came from none. */
  readonly line: number;
  /** Canonical, without `-A CHAIN`. */
  readonly text: string;
  /** `ACCEPT`, `DROP`, `RETURN`, `continue`, a chain's name … */
  readonly verdict: string;
  /** Why it cannot be known offline whether it matches, where that is so. */
  readonly unknown?: string;
}

/** One thing that happened to a packet on its way. */
export type TrailEntry =
  /** A base chain begins; `state` is what conntrack says of the packet there, null where it is off; `way` where the packet goes, once that is known: `eth0 → eth1`. */
  | { readonly kind: 'stage'; readonly table: string; readonly hook: string; readonly state: string | null; readonly way?: string }
  /** A chain of the user's begins, and ends. */
  | { readonly kind: 'enter'; readonly chain: string; readonly goto: boolean }
  | { readonly kind: 'leave'; readonly chain: string }
  | RuleEntry
  /** A base chain ended in its policy. */
  | { readonly kind: 'policy'; readonly table: string; readonly chain: string; readonly policy: string }
  /** `destination 192.0.2.1:80 → 10.0.0.5:8080`; by the kernel itself where that was between two chains. */
  | { readonly kind: 'rewrite'; readonly what: string; readonly isBetween?: boolean }
  /** The packet was dropped, and this rule would have let it pass but for one thing. */
  | { readonly kind: 'missed' } & NearMiss
  /** A routing decision, a new connection, a packet put together of its fragments … */
  | { readonly kind: 'event'; readonly text: string }
  /** What follows up to its `generated-end` happens to a packet that the host sends because of this one. */
  | { readonly kind: 'generated'; readonly text: string }
  | { readonly kind: 'generated-end' };
