/**
 * Most rules are passed over because an address, the protocol or a port is another one. That much of all rules of a
 * chain stands packed in one array, so that a packet runs over thousands of them without touching a rule.
 */
import { addressWords } from '../../packet/address-words.js';
import type { Packet } from '../../packet/packet.js';
import type { Address } from '../../values/address.js';
import type { Family } from '../../values/value.js';

/** What a rule asks in plain numbers: a packet that fails it cannot match, whatever else the rule asks. */
export interface QuickTest {
  readonly src: AddressTest;
  readonly dst: AddressTest;
  /** 0: any. */
  readonly protocol: number;
  readonly protocolNegated: boolean;
  /** Of packets of TCP and UDP that have their header. */
  readonly sport: PortBounds;
  readonly dport: PortBounds;
}

/** A mask of 0 asks nothing. */
export interface AddressTest {
  readonly address: Address;
  readonly mask: Address;
  readonly negated: boolean;
}

/** Inclusive. */
export interface PortBounds {
  readonly low: number;
  readonly high: number;
}

export const anyPort: PortBounds = { low: 0, high: 0xffff };

/** How many words of 32 bits an address has. */
const wordsOf = { ipv4: 1, ipv6: 4 } as const;
const srcNegated = 0x100, dstNegated = 0x200, protocolNegated = 0x400;

/** The quick tests of a chain: for each rule its protocol with what is negated, bounds of ports, then addresses with their masks, word by word. */
export class PackedRules {
  /** Of an address. */
  readonly words: number;
  /** Numbers for each rule. */
  readonly width: number;
  readonly length: number;
  readonly numbers: Int32Array;

  constructor(tests: readonly QuickTest[], family: Family) {
    this.words = wordsOf[family];
    this.width = 3 + 4 * this.words;
    this.length = tests.length;
    this.numbers = new Int32Array(tests.length * this.width);
    for (const [index, { src, dst, protocol, sport, dport, ...test }] of tests.entries()) {
      const flags = (src.negated ? srcNegated : 0) | (dst.negated ? dstNegated : 0) | (test.protocolNegated ? protocolNegated : 0);
      const ports = [sport, dport].map(({ low, high }) => low > high ? 0xffff_0000 | 0 : (low << 16) | high);
      this.numbers.set([protocol | flags, ...ports, ...[src.address, src.mask, dst.address, dst.mask].flatMap(address => this.#wordsOf(address))], index * this.width);
    }
  }

  /** Signed. */
  #wordsOf(address: Address): readonly number[] {
    if (this.words === 1) return [Number(address) | 0];
    return addressWords(address).map(word => word | 0);
  }

  /** The one destination port that a rule asks for; undefined where it asks for none, or several. */
  dportOf(rule: number): number | undefined {
    const bounds = this.numbers[rule * this.width + 2] ?? 0;
    return bounds >>> 16 === (bounds & 0xffff) ? bounds & 0xffff : undefined;
  }

  /** What the upper bits of a word of an address must be, as `ScanKey.upper` has it of a packet; undefined where a rule does not ask for all of them. */
  upper(rule: number, { of, word, shift }: UpperBits): number | undefined {
    const at = rule * this.width;
    if (((this.numbers[at] ?? 0) & (of === 'dst' ? dstNegated : srcNegated)) !== 0) return undefined;
    const place = at + 3 + (of === 'dst' ? 2 * this.words : 0) + word;
    const mask = this.numbers[place + this.words] ?? 0;
    return mask >> shift === -1 ? (this.numbers[place] ?? 0) >> shift : undefined;
  }
}

/** The bits of one word of an address but the lowest `shift`. */
export interface UpperBits {
  readonly of: 'src' | 'dst';
  readonly word: number;
  readonly shift: number;
}

const tcp = 6, udp = 17;

/** The numbers of a packet that quick tests look at. `protocol` is as the rules see it. */
export class ScanKey {
  /** Signed words of 32 bits; of an IPv4 address the first only. */
  readonly src = new Int32Array(4);
  readonly dst = new Int32Array(4);
  protocol = 0;
  /** -1: the packet has none, or not whole; what is asked of them is left to the matches. */
  sport = -1;
  dport = -1;

  read(packet: Packet, protocol: number): void {
    const words = wordsOf[packet.family];
    const at = packet.family === 'ipv4' ? 12 : 8;
    for (let word = 0; word < words; word++) {
      this.src[word] = packet.u32(at + 4 * word);
      this.dst[word] = packet.u32(at + 4 * (words + word));
    }
    this.protocol = protocol;
    const hasPorts = packet.fragmentOffset === 0 && (protocol === tcp ? packet.transportLength >= 20 : protocol === udp && packet.transportLength >= 8);
    this.sport = hasPorts ? packet.sport : -1;
    this.dport = hasPorts ? packet.dport : -1;
  }

  upper({ of, word, shift }: UpperBits): number {
    return (this[of][word] ?? 0) >> shift;
  }

  /** The first rule from `from` on whose quick test the packet passes; the number of rules where there is none. */
  next(rules: PackedRules, from: number): number {
    let at = from;
    while (at < rules.length && !this.#passes(rules, at)) at++;
    return at;
  }

  /** The same among some rules, sorted: the first of them from `from` on, and before `limit`; `limit` where there is none. */
  nextAmong(some: Int32Array, rules: PackedRules, from: number, limit: number): number {
    for (let i = placeOf(some, from); i < some.length; i++) {
      const at = some[i] ?? limit;
      if (at >= limit) break;
      if (this.#passes(rules, at)) return at;
    }
    return limit;
  }

  #passes({ numbers, words, width }: PackedRules, rule: number): boolean {
    const { protocol, sport, dport } = this;
    const at = rule * width;
    const head = numbers[at] ?? 0;
    const wanted = head & 0xff;
    if (wanted !== 0 && (wanted === protocol) === ((head & protocolNegated) !== 0)) return false;
    if (dport >= 0) {
      const ports = numbers[at + 2] ?? 0;
      if (dport < ports >>> 16 || dport > (ports & 0xffff)) return false;
      const sources = numbers[at + 1] ?? 0;
      if (sport < sources >>> 16 || sport > (sources & 0xffff)) return false;
    }
    if (isWithin(this.src, numbers, at + 3, words) === ((head & srcNegated) !== 0)) return false;
    return isWithin(this.dst, numbers, at + 3 + 2 * words, words) !== ((head & dstNegated) !== 0);
  }
}

function isWithin(address: Int32Array, numbers: Int32Array, at: number, words: number): boolean {
  for (let word = 0; word < words; word++) if ((((address[word] ?? 0) ^ (numbers[at + word] ?? 0)) & (numbers[at + words + word] ?? 0)) !== 0) return false;
  return true;
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
