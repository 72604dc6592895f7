/** What is in a set. */
import type { SkbInfo } from '../ip-sets.js';

/** Addresses are numbers or bigints; ports are `protocol << 16 | port`, or the port alone in bitmap:port; MAC addresses and marks are numbers, interfaces and sets names. */
export type PartValue = number | bigint | string;

export interface Element {
  readonly values: PartValue[];
  /** Of the parts that are networks, in their order. */
  readonly lengths: readonly number[];
  /** The interface is the port of a bridge, or the beginning of a name. */
  readonly physdev: boolean;
  readonly wildcard: boolean;
  extensions: Extensions;
}

/** What `timeout`, `counters`, `comment` and `skbinfo` add to an element, and `nomatch`. */
export interface Extensions {
  readonly nomatch: boolean;
  /** On the host's clock, in seconds; undefined: never. */
  readonly expires: number | undefined;
  /** Of an element whose time runs only from the first packet on (bitmap:ip,mac without its MAC address): how long then. */
  readonly pendingTimeout?: number | undefined;
  packets: bigint;
  bytes: bigint;
  readonly comment: string | undefined;
  readonly info: SkbInfo | undefined;
}

export const noExtensions: Extensions = { nomatch: false, expires: undefined, packets: 0n, bytes: 0n, comment: undefined, info: undefined };

/** The MAC address of an element of bitmap:ip,mac that no packet filled in yet. */
export const noMac = -1;

/** To the very second at which it expires an element is still there. @see ip_set_timeout_expired() */
export function isExpired({ extensions: { expires } }: Element, now: number): boolean {
  return expires !== undefined && now > expires;
}
