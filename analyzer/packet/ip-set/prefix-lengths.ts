/** Which prefix lengths the networks of a set have: only those are looked for. */
import { prefixMask, type Address } from '../../values/address.js';
import type { Family } from '../../values/value.js';

interface LengthInUse {
  readonly length: number;
  readonly mask: Address;
  count: number;
}

/** @see mtype_add_cidr() and mtype_del_cidr() in net/netfilter/ipset/ip_set_hash_gen.h */
export class PrefixLengths {
  readonly #family: Family;
  /** The most specific first. */
  readonly inUse: LengthInUse[] = [];

  constructor(family: Family) {
    this.#family = family;
  }

  add(length: number): void {
    const at = this.inUse.findIndex(one => one.length <= length);
    const there = this.inUse[at];
    if (there?.length === length) there.count++;
    else this.inUse.splice(at === -1 ? this.inUse.length : at, 0, { length, mask: prefixMask(length, this.#family), count: 1 });
  }

  remove(length: number): void {
    const at = this.inUse.findIndex(one => one.length === length);
    const there = this.inUse[at];
    if (there !== undefined && --there.count === 0) this.inUse.splice(at, 1);
  }

  /** That of the most specific network, or of a host where there is none. */
  get longest(): number {
    return this.inUse[0]?.length ?? (this.#family === 'ipv4' ? 32 : 128);
  }
}
