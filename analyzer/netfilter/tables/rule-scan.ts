/**
 * Most rules are passed over because an address, the protocol or a port is another one. That much of all rules of a
 * chain stands packed in one array, so that a packet runs over thousands of them without touching a rule.
 */
import type { Packet } from '../../packet/packet.js';

/** What a rule asks in plain numbers: a packet that fails it cannot match, whatever else the rule asks. */
export interface QuickTest {
  /** IPv4 addresses as signed 32-bit numbers; a mask of 0 asks nothing. */
  readonly src: number;
  readonly srcMask: number;
  readonly srcNegated: boolean;
  readonly dst: number;
  readonly dstMask: number;
  readonly dstNegated: boolean;
  /** 0: any. */
  readonly protocol: number;
  readonly protocolNegated: boolean;
  /** Of packets of TCP and UDP that have their header. */
  readonly sport: PortBounds;
  readonly dport: PortBounds;
}

/** Inclusive. */
export interface PortBounds {
  readonly low: number;
  readonly high: number;
}

export const anyPort: PortBounds = { low: 0, high: 0xffff };

const width = 8;
const srcNegated = 0x100, dstNegated = 0x200, protocolNegated = 0x400;

/** The quick tests of a chain, eight numbers each. */
export function packed(tests: readonly QuickTest[]): Int32Array {
  const numbers = new Int32Array(tests.length * width);
  for (const [index, test] of tests.entries()) {
    const flags = (test.srcNegated ? srcNegated : 0) | (test.dstNegated ? dstNegated : 0) | (test.protocolNegated ? protocolNegated : 0);
    const ports = [test.sport, test.dport].map(({ low, high }) => low > high ? 0xffff_0000 | 0 : (low << 16) | high);
    numbers.set([test.protocol | flags, test.src, test.srcMask, test.dst, test.dstMask, ...ports], index * width);
  }
  return numbers;
}

const tcp = 6, udp = 17;

/** The numbers of a packet that quick tests look at. `protocol` is as the rules see it. */
export class ScanKey {
  src = 0;
  dst = 0;
  protocol = 0;
  /** -1: the packet has none, or not whole; what is asked of them is left to the matches. */
  sport = -1;
  dport = -1;

  read(packet: Packet, protocol: number): void {
    const isV4 = packet.family === 'ipv4';
    this.src = isV4 ? packet.u32(12) | 0 : 0;
    this.dst = isV4 ? packet.u32(16) | 0 : 0;
    this.protocol = protocol;
    const hasPorts = packet.fragmentOffset === 0 && (protocol === tcp ? packet.transportLength >= 20 : protocol === udp && packet.transportLength >= 8);
    this.sport = hasPorts ? packet.sport : -1;
    this.dport = hasPorts ? packet.dport : -1;
  }

  /** The first rule from `from` on whose quick test the packet passes; the number of rules where there is none. */
  next(numbers: Int32Array, from: number): number {
    const end = numbers.length / width;
    let at = from;
    while (at < end && !this.#passes(numbers, at * width)) at++;
    return at;
  }

  /** The same among some rules, sorted: the first of them from `from` on, and before `limit`; `limit` where there is none. */
  nextAmong(some: Int32Array, numbers: Int32Array, from: number, limit: number): number {
    for (let i = placeOf(some, from); i < some.length; i++) {
      const at = some[i] ?? limit;
      if (at >= limit) break;
      if (this.#passes(numbers, at * width)) return at;
    }
    return limit;
  }

  #passes(numbers: Int32Array, at: number): boolean {
    const { src, dst, protocol, sport, dport } = this;
    const head = numbers[at] ?? 0;
    const wanted = head & 0xff;
    if (wanted !== 0 && (wanted === protocol) === ((head & protocolNegated) !== 0)) return false;
    if (dport >= 0) {
      const ports = numbers[at + 6] ?? 0;
      if (dport < ports >>> 16 || dport > (ports & 0xffff)) return false;
      const sources = numbers[at + 5] ?? 0;
      if (sport < sources >>> 16 || sport > (sources & 0xffff)) return false;
    }
    if ((((src ^ (numbers[at + 1] ?? 0)) & (numbers[at + 2] ?? 0)) !== 0) !== ((head & srcNegated) !== 0)) return false;
    return (((dst ^ (numbers[at + 3] ?? 0)) & (numbers[at + 4] ?? 0)) !== 0) === ((head & dstNegated) !== 0);
  }
}

/** Where the first number stands that is not smaller. */
function placeOf(sorted: Int32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The upper half of an address: what a mask must hold for rules to be looked up by it. */
const half = 0xffff_0000 | 0;

/** Rules of a chain, sorted: by destination, by source, and all others. */
interface Halves {
  readonly dst: ReadonlyMap<number, Int32Array>;
  readonly src: ReadonlyMap<number, Int32Array>;
  readonly rest: Int32Array;
}

/** The rules of a chain that a packet may match. Of long chains those that name a network are looked up by the upper half of its address. */
export class RuleScan {
  readonly #numbers: Int32Array;
  /** Made when a packet first comes to a long chain. */
  #halves: Halves | undefined;

  constructor(tests: readonly QuickTest[]) {
    this.#numbers = packed(tests);
  }

  /** As `ScanKey.next`. */
  next(key: ScanKey, from: number): number {
    const numbers = this.#numbers;
    if (numbers.length < longChain * width) return key.next(numbers, from);
    const { dst, src, rest } = this.#halves ??= this.#parted();
    let best = numbers.length / width;
    for (const some of [dst.get(key.dst >>> 16), src.get(key.src >>> 16), rest]) if (some !== undefined) best = key.nextAmong(some, numbers, from, best);
    return best;
  }

  #parted(): Halves {
    const numbers = this.#numbers;
    const [dst, src] = [new Map<number, number[]>(), new Map<number, number[]>()];
    const rest: number[] = [];
    for (let at = 0, rule = 0; at < numbers.length; at += width, rule++) {
      const head = numbers[at] ?? 0;
      const isAt = (place: number, negated: number): boolean => (head & negated) === 0 && ((numbers[at + place] ?? 0) & half) === half;
      if (isAt(4, dstNegated)) put(dst, (numbers[at + 3] ?? 0) >>> 16, rule);
      else if (isAt(2, srcNegated)) put(src, (numbers[at + 1] ?? 0) >>> 16, rule);
      else rest.push(rule);
    }
    return { dst: typed(dst), src: typed(src), rest: Int32Array.from(rest) };
  }
}

/** From so many rules on. */
const longChain = 128;

function put(lists: Map<number, number[]>, key: number, rule: number): void {
  const known = lists.get(key);
  if (known === undefined) lists.set(key, [rule]);
  else known.push(rule);
}

function typed(lists: ReadonlyMap<number, readonly number[]>): ReadonlyMap<number, Int32Array> {
  return new Map([...lists].map(([key, list]) => [key, Int32Array.from(list)]));
}
