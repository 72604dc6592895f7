/** The sets of a host, as rules ask them. */
import type { CounterTest, IpSets, SetChange, SetTest, SkbInfo } from '../ip-sets.js';
import type { Packet } from '../packet.js';
import { isExpired, noExtensions, noMac, type Element, type PartValue } from './element.js';
import { ElementSet, expiry } from './element-set.js';
import { ListSet } from './list-set.js';
import { printIpSets } from './print-ip-sets.js';
import type { SetHeader } from './set-header.js';
import { valuesOfPacket } from './values-of-packet.js';

export type NamedSet = ElementSet | ListSet;

function holds(test: CounterTest | undefined, counter: bigint): boolean {
  switch (test?.compare) {
    case undefined: return true;
    case 'eq': return counter === test.value;
    case 'ne': return counter !== test.value;
    case 'lt': return counter < test.value;
    case 'gt': return counter > test.value;
  }
}

/** @see the check in ip_set_test(): a set of IPv6 takes no IPv4 packet. */
function isFor({ family, type }: SetHeader, packet: Packet, flags: SetTest['flags']): boolean {
  return flags.length >= type.parts.length && (family === undefined || family === packet.family);
}

/** @see ip_set_test(), ip_set_add() and ip_set_del() in net/netfilter/ipset/ip_set_core.c */
export class IpSetTable implements IpSets {
  readonly #now: () => number;
  readonly #sets = new Map<string, NamedSet>();

  /** `now` is the host's clock, in seconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get(name: string): NamedSet | undefined {
    return this.#sets.get(name);
  }

  /** Makes an empty set; one of that name must not be there. */
  create(header: SetHeader): void {
    this.#sets.set(header.name, header.type.storage === 'list' ? new ListSet(header, this.#now) : new ElementSet(header, this.#now));
  }

  destroy(name: string): void {
    this.#sets.delete(name);
  }

  sets(): Iterable<NamedSet> {
    return this.#sets.values();
  }

  test(packet: Packet, test: SetTest): boolean | undefined {
    const set = this.#sets.get(test.name);
    return set === undefined ? undefined : this.#find(set, packet, test) !== undefined;
  }

  info(packet: Packet, test: SetTest): SkbInfo | undefined {
    const set = this.#sets.get(test.name);
    const found = set === undefined ? undefined : this.#find(set, packet, test);
    return found && (found.extensions.info ?? {});
  }

  add(packet: Packet, change: SetChange): boolean {
    const set = this.#sets.get(change.name);
    if (set !== undefined) this.#addPacket(set, packet, change);
    return set !== undefined;
  }

  remove(packet: Packet, change: Omit<SetChange, 'timeout' | 'exist'>): boolean {
    const set = this.#sets.get(change.name);
    if (set !== undefined) this.#removePacket(set, packet, change);
    return set !== undefined;
  }

  /** What `ipset save` prints. */
  save(): string {
    return printIpSets(this.#sets.values(), this.#now());
  }

  /** The values of a packet as the set has them; undefined where it can have none. */
  #valuesFor(set: ElementSet, packet: Packet, flags: SetTest['flags']): PartValue[] | undefined {
    const values = isFor(set.header, packet, flags) ? valuesOfPacket(set.header.type, packet, flags) : undefined;
    return values === undefined || set.normalize(values) !== undefined ? undefined : values;
  }

  #find(set: NamedSet, packet: Packet, test: SetTest): Element | undefined {
    return set instanceof ListSet ? this.#findInList(set, packet, test) : this.#findElement(set, packet, test);
  }

  /** `nomatch` elements end the search and are no match; with --return-nomatch it is the other way round. */
  #findElement(set: ElementSet, packet: Packet, test: SetTest): Element | undefined {
    const values = this.#valuesFor(set, packet, test.flags);
    if (values === undefined) return undefined;
    const found = set.find(values, element => this.#accepts(set.header, element, packet, test) && this.#hasMac(set.header, element, values));
    const wantsNomatch = test.returnNomatch === true && set.header.type.nets.length > 0;
    return found?.extensions.nomatch === wantsNomatch ? found : undefined;
  }

  /** Of sets in a list no counters are asked; whether theirs move is said apart. @see list_set_ktest() */
  #findInList(list: ListSet, packet: Packet, test: SetTest): Element | undefined {
    if (!isFor(list.header, packet, test.flags)) return undefined;
    const { name: _, packets, bytes, ...rest } = test;
    const inner = { ...rest, name: '', keepCounters: test.keepCounters === true || test.keepSubcounters === true };
    for (const member of list.elements()) {
      const set = this.#sets.get(String(member.values[0]));
      const found = set === undefined ? undefined : this.#find(set, packet, inner);
      if (found !== undefined && this.#accepts(list.header, member, packet, test)) return list.header.skbinfo ? member : found;
    }
    return undefined;
  }

  /** Counters move before they are asked. @see ip_set_match_extensions() */
  #accepts(header: SetHeader, element: Element, packet: Packet, { keepCounters, packets, bytes }: SetTest): boolean {
    if (isExpired(element, this.#now())) return false;
    if (!header.counters) return true;
    const { extensions } = element;
    if (keepCounters !== true) {
      extensions.packets++;
      extensions.bytes += BigInt(packet.bytes.length);
    }
    return holds(packets, extensions.packets) && holds(bytes, extensions.bytes);
  }

  /** An address without its MAC address takes that of the first packet. @see bitmap_ipmac_do_test() */
  #hasMac({ type }: SetHeader, element: Element, values: readonly PartValue[]): boolean {
    if (type.name !== 'bitmap:ip,mac') return true;
    if (element.values[1] === noMac) this.#fillMac(element, values[1] ?? noMac);
    return element.values[1] === values[1];
  }

  #fillMac(element: Element, mac: PartValue): void {
    const { pendingTimeout: seconds, ...extensions } = element.extensions;
    element.values[1] = mac;
    element.extensions = { ...extensions, expires: seconds === undefined || seconds === 0 ? undefined : this.#now() + seconds };
  }

  /** The first set of a list that takes it is enough. False: nothing was added. */
  #addPacket(set: NamedSet, packet: Packet, change: SetChange): boolean {
    const { flags, timeout, exist = false } = change;
    if (set instanceof ListSet) return isFor(set.header, packet, flags) && this.#members(set).some(member => this.#addPacket(member, packet, change));
    const values = this.#valuesFor(set, packet, flags);
    if (values === undefined) return false;
    const lengths = set.longestLengths();
    set.maskNets(values, lengths);
    const counted = set.header.counters ? { packets: 1n, bytes: BigInt(packet.bytes.length) } : {};
    const extensions = { ...noExtensions, ...counted, expires: expiry(set.header, timeout, this.#now()) };
    return set.add({ values, lengths, physdev: false, wildcard: false, extensions }, exist) === 'added';
  }

  #removePacket(set: NamedSet, packet: Packet, change: Omit<SetChange, 'timeout' | 'exist'>): boolean {
    if (set instanceof ListSet) return isFor(set.header, packet, change.flags) && this.#members(set).some(member => this.#removePacket(member, packet, change));
    const values = this.#valuesFor(set, packet, change.flags);
    if (values === undefined) return false;
    const lengths = set.longestLengths();
    set.maskNets(values, lengths);
    return set.remove(values, lengths, false);
  }

  #members(list: ListSet): NamedSet[] {
    return list.elements().flatMap(({ values }) => this.#sets.get(String(values[0])) ?? []);
  }
}
