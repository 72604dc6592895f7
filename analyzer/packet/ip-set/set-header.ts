/** What `create` says of a set. */
import type { Address } from '../../values/address.js';
import type { Family } from '../../values/value.js';
import type { SetType } from './set-type.js';

export interface SetHeader {
  readonly name: string;
  readonly type: SetType;
  /** Of sets that are of one. */
  readonly family: Family | undefined;
  /** Inclusive; of bitmaps. */
  readonly range: readonly [first: number, last: number];
  /** Prefix length by which addresses are grouped. */
  readonly netmask: number | undefined;
  /** Any mask in its place. */
  readonly bitmask: Address | undefined;
  readonly markmask: number;
  readonly hashsize: number;
  readonly maxelem: number;
  /** Of list:set. */
  readonly size: number;
  /** Seconds that elements live where they do not say how long, 0: for ever; undefined: elements have no timeouts. */
  readonly timeout: number | undefined;
  readonly counters: boolean;
  readonly comment: boolean;
  readonly skbinfo: boolean;
  readonly forceadd: boolean;
  readonly bucketsize: number;
  readonly initval: string | undefined;
}

/** Bits of an address of the set. */
export function addressBits({ family }: SetHeader): number {
  return family === 'ipv6' ? 128 : 32;
}
