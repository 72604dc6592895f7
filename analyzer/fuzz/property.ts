/** What must be true of every conversation: data, one file each in `properties/`. */
import type { Place } from '../generate/near/packets-near.js';
import type { Played } from '../generate/near/play.js';
import type { Claim } from './claim.js';

/** What a user knows, and no file says. */
export interface Wishes {
  /** Ports that may be reached from outside. */
  readonly allowed?: readonly PortRange[];
  /** Interfaces that are outside; absent: all but `lo`. */
  readonly untrusted?: readonly string[];
  /** What the linter says of the rules for certain. */
  readonly claims?: readonly Claim[];
}

/** Inclusive at both ends. */
export interface PortRange {
  /** Of any protocol where it is absent. */
  readonly proto?: string;
  readonly low: number;
  readonly high: number;
}

/** What breaks a property: the packet of the conversation, from 0, and why. */
export interface Breach {
  readonly index: number;
  readonly why: string;
}

/** Something that must be true of every conversation. */
export interface Property {
  /** Kebab-case; the name of its file. */
  readonly name: string;
  /** What is true where it holds, in a sentence. */
  readonly summary: string;
  /** What it means exactly: a paragraph. */
  readonly doc: string;
  /** Why it cannot be tested; undefined where it can. */
  readonly skipped?: (wishes: Wishes) => string | undefined;
  /** Made once for a rule set, then asked about each conversation. */
  readonly test: (place: Place, wishes: Wishes) => (played: Played) => Breach | undefined;
}

export function defineProperty(property: Property): Property {
  return property;
}
