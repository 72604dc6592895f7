/** A set whose elements are found by their parts: all types but list:set. */
import { maskAddress, prefixMask, type Address } from '../../values/address.js';
import { isExpired, noMac, type Element, type Extensions, type PartValue } from './element.js';
import { PrefixLengths } from './prefix-lengths.js';
import type { SetHeader } from './set-header.js';

type Key = number | bigint | string;
export type AddResult = 'added' | 'exists' | 'full' | 'out of range' | 'null';

function isAddress(value: PartValue | undefined): value is Address {
  return typeof value === 'number' || typeof value === 'bigint';
}

/**
 * Elements by key. For networks the key has the prefix length in it, and a lookup tries every length in use, as the kernel does.
 * @see mtype_test(), mtype_add() and mtype_del() in net/netfilter/ipset/ip_set_hash_gen.h and ip_set_bitmap_gen.h
 */
export class ElementSet {
  readonly header: SetHeader;
  readonly #now: () => number;
  readonly #buckets = new Map<Key, Element[]>();
  readonly #prefixes: readonly PrefixLengths[];
  /** By which addresses are grouped. */
  readonly #mask: Address | undefined;
  #size = 0;

  constructor(header: SetHeader, now: () => number) {
    this.header = header;
    this.#now = now;
    const family = header.family ?? 'ipv4';
    this.#prefixes = header.type.nets.map(() => new PrefixLengths(family));
    this.#mask = header.bitmask ?? (header.netmask === undefined ? undefined : prefixMask(header.netmask, family));
  }

  get size(): number { return this.#size; }

  /** Those that have not expired, in the order in which they were put in. */
  *elements(): Iterable<Element> {
    for (const bucket of this.#buckets.values()) for (const element of bucket) if (!isExpired(element, this.#now())) yield element;
  }

  /** The lengths with which packets put networks in and take them out. */
  longestLengths(): number[] {
    return this.#prefixes.map(one => one.longest);
  }

  /** Groups and checks what is looked for, put in or taken out; values are changed in place. Undefined: all is well. */
  normalize(values: PartValue[]): 'out of range' | 'null' | undefined {
    const { type: { name, parts, storage }, range: [first, last], markmask } = this.header;
    for (const [index, part] of parts.entries()) {
      const value = values[index];
      if (part === 'mark') values[index] = (Number(value) & markmask) >>> 0;
      if (!isAddress(value) || (part !== 'ip' && part !== 'net' && part !== 'plainPort')) continue;
      if (storage === 'bitmap' && index === 0 && (value < first || value > last)) return 'out of range';
      if (this.#mask !== undefined) values[index] = maskAddress(value, this.#mask);
    }
    const isNull = (name === 'hash:ip' || name === 'hash:ip,port') && Number(values[0]) === 0;
    return isNull || (name === 'hash:mac' && values[0] === 0) ? 'null' : undefined;
  }

  /** Networks without the bits behind their prefix. */
  maskNets(values: PartValue[], lengths: readonly number[]): void {
    for (const [at, part] of this.header.type.nets.entries()) {
      const value = values[part];
      if (isAddress(value)) values[part] = maskAddress(value, prefixMask(lengths[at] ?? 0, this.header.family ?? 'ipv4'));
    }
  }

  /** The most specific element that takes these values, and of which `accepts` holds. */
  find(values: readonly PartValue[], accepts: (element: Element) => boolean): Element | undefined {
    // Without networks there is one place to look.
    return this.#prefixes.length === 0 ? this.bucket(values, [], false)?.find(accepts) : new Search(this, values, accepts).run();
  }

  /** @see the loops of mtype_test_cidrs() */
  prefixes(net: number): PrefixLengths['inUse'] {
    return this.#prefixes[net]?.inUse ?? [];
  }

  bucket(values: readonly PartValue[], lengths: readonly number[], physdev: boolean): readonly Element[] | undefined {
    return this.#buckets.get(this.#key(values, lengths, physdev));
  }

  /** Puts an element in whose values are normalized; one that is there gets new extensions where `exist` says so. */
  add(element: Element, exist: boolean): AddResult {
    const { values, lengths, physdev } = element;
    const key = this.#key(values, lengths, physdev);
    const there = this.#buckets.get(key)?.find(one => this.#isSame(one, values));
    if (there !== undefined) {
      if (!exist && !isExpired(there, this.#now()) && !this.#fillsMac(there, values)) return 'exists';
      there.extensions = element.extensions;
      if (this.header.type.name === 'bitmap:ip,mac' && values[1] !== undefined && values[1] !== noMac) there.values[1] = values[1];
      return 'added';
    }
    if (this.#isFull() && !this.#makeRoom()) return 'full';
    const target = this.#buckets.get(key);
    if (target === undefined) this.#buckets.set(key, [element]);
    else target.push(element);
    this.#size++;
    for (const [net, length] of lengths.entries()) this.#prefixes[net]?.add(length);
    return 'added';
  }

  /** Whether it was there. */
  remove(values: readonly PartValue[], lengths: readonly number[], physdev: boolean): boolean {
    const found = this.#buckets.get(this.#key(values, lengths, physdev))?.find(one => this.#isSame(one, values));
    if (found === undefined || isExpired(found, this.#now())) return false;
    this.#drop(found);
    return true;
  }

  clear(): void {
    for (const bucket of [...this.#buckets.values()]) for (const element of [...bucket]) this.#drop(element);
  }

  /** Prefix lengths are part of the key, and whether the interface is a bridge's port. */
  #key(values: readonly PartValue[], lengths: readonly number[], physdev: boolean): Key {
    const { parts, keyParts } = this.header.type;
    if (keyParts === 1 && !physdev) return this.#keyPart(values, lengths, 0, 0);
    let key = physdev ? 'physdev' : '';
    for (let part = 0, net = 0; part < keyParts; part++) {
      key += `${String(this.#keyPart(values, lengths, part, net))},`;
      if (parts[part] === 'net') net++;
    }
    return key;
  }

  #keyPart(values: readonly PartValue[], lengths: readonly number[], part: number, net: number): Key {
    const value = values[part] ?? 0;
    if (this.header.type.parts[part] !== 'net') return value;
    const length = lengths[net] ?? 0;
    return typeof value === 'bigint' ? (value << 8n) | BigInt(length) : Number(value) * 64 + length;
  }

  #isSame(one: Element, values: readonly PartValue[]): boolean {
    return this.header.type.name !== 'hash:net,iface' || matchesInterface(one, values[1]);
  }

  /** In a bitmap one address has one MAC address, which may be yet to come. */
  #fillsMac(one: Element, values: readonly PartValue[]): boolean {
    return this.header.type.name === 'bitmap:ip,mac' && one.values[1] === noMac && values[1] !== noMac;
  }

  #isFull(): boolean {
    return this.header.type.storage === 'hash' && this.#size >= this.header.maxelem;
  }

  /** What has expired goes first. With `forceadd` the oldest goes; in the kernel it is any that hashes alike. */
  #makeRoom(): boolean {
    const now = this.#now();
    if (this.header.timeout !== undefined) {
      for (const bucket of [...this.#buckets.values()]) for (const element of [...bucket]) if (isExpired(element, now)) this.#drop(element);
    }
    if (!this.#isFull()) return true;
    const [oldest] = this.#buckets.values();
    const [element] = oldest ?? [];
    if (!this.header.forceadd || element === undefined) return false;
    this.#drop(element);
    return true;
  }

  #drop(element: Element): void {
    const { values, lengths, physdev } = element;
    const key = this.#key(values, lengths, physdev);
    const bucket = this.#buckets.get(key);
    const at = bucket?.indexOf(element) ?? -1;
    if (bucket === undefined || at === -1) return;
    bucket.splice(at, 1);
    if (bucket.length === 0) this.#buckets.delete(key);
    this.#size--;
    for (const [net, length] of lengths.entries()) this.#prefixes[net]?.remove(length);
  }
}

/** A wildcard stands for all names that begin so. */
function matchesInterface({ values, wildcard }: Element, name: PartValue | undefined): boolean {
  return wildcard ? String(name).startsWith(String(values[1])) : values[1] === name;
}

/** One lookup, through all prefix lengths in use. */
class Search {
  readonly #set: ElementSet;
  readonly #wanted: readonly PartValue[];
  readonly #accepts: (element: Element) => boolean;
  readonly #masked: PartValue[];
  readonly #lengths: number[] = [];
  #found: Element | undefined;

  constructor(set: ElementSet, wanted: readonly PartValue[], accepts: (element: Element) => boolean) {
    this.#set = set;
    this.#wanted = wanted;
    this.#masked = [...wanted];
    this.#accepts = accepts;
  }

  run(): Element | undefined {
    this.#tryNet(0);
    return this.#found;
  }

  /** True: the search is over. */
  #tryNet(net: number): boolean {
    const part = this.#set.header.type.nets[net];
    if (part === undefined) return this.#tryBucket();
    const address = this.#wanted[part];
    if (!isAddress(address)) return true;
    for (const { length, mask } of this.#set.prefixes(net)) {
      this.#masked[part] = maskAddress(address, mask);
      this.#lengths[net] = length;
      if (this.#tryNet(net + 1)) return true;
    }
    return false;
  }

  /** A network that is there for other interfaces ends the search too: less specific ones are not looked at. */
  #tryBucket(): boolean {
    const bucket = this.#set.bucket(this.#masked, this.#lengths, false);
    if (bucket === undefined) return false;
    let isOver = false;
    for (const element of bucket) {
      if (this.#set.header.type.name === 'hash:net,iface' && !matchesInterface(element, this.#wanted[1])) isOver = true;
      else if (this.#accepts(element)) {
        this.#found = element;
        return true;
      } else isOver = false;
    }
    return isOver;
  }
}

/** When an element put in now is to expire; undefined: never. */
export function expiry({ timeout: usual }: SetHeader, timeout: number | undefined, now: number): Extensions['expires'] {
  if (usual === undefined) return undefined;
  const seconds = timeout ?? usual;
  return seconds === 0 ? undefined : now + seconds;
}
