/** ipset, as rules see it. The sets themselves are kept by packet/ip-set/. */
import type { SetReference } from '../values/set-reference.js';
import type { Constraint } from './constraint.js';
import type { Packet } from './packet.js';

/** How `-m set` and `-j SET` name what to look up: `src,dst` … */
export type SetFlag = 'src' | 'dst';

export interface SetTest {
  readonly name: string;
  readonly flags: readonly SetFlag[];
  /** Look only for elements without `nomatch` taken back: `--return-nomatch`. */
  readonly returnNomatch?: boolean;
  /** `! --update-counters` and `! --update-subcounters`. */
  readonly keepCounters?: boolean;
  readonly keepSubcounters?: boolean;
  /** Conditions on the element's counters; it is no match where one fails. */
  readonly packets?: CounterTest;
  readonly bytes?: CounterTest;
}

export interface CounterTest {
  readonly compare: 'eq' | 'ne' | 'lt' | 'gt';
  readonly value: bigint;
}

export interface SetChange {
  readonly name: string;
  readonly flags: readonly SetFlag[];
  /** Seconds; absent: the set's default. */
  readonly timeout?: number;
  /** Put it in anew where it is there already, with the new timeout. */
  readonly exist?: boolean;
}

/** What `-j SET --map-set` may take from an element. */
export interface SkbInfo {
  readonly mark?: { readonly value: number; readonly mask: number };
  readonly priority?: number;
  readonly queue?: number;
}

export interface IpSets {
  /** `interfaceOf` says which of the packet's interfaces `src` and `dst` mean for sets with `iface`. Undefined: no such set is known. */
  test(packet: Packet, test: SetTest): boolean | undefined;
  /** False: no such set is known. */
  add(packet: Packet, change: SetChange): boolean;
  remove(packet: Packet, change: Omit<SetChange, 'timeout' | 'exist'>): boolean;
  info(packet: Packet, test: SetTest): SkbInfo | undefined;
}

/** What it asks of a packet to be in a set; undefined where nobody knows, or packets do not say. */
export type SetContents = (reference: SetReference, returnNomatch: boolean) => Constraint | undefined;

/** Sets of which it was said what is in them. */
export interface KnownSets {
  /** As `ipset save` prints them. */
  readonly saved: string;
  readonly names: ReadonlySet<string>;
  readonly contents: SetContents;
}
