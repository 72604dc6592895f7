/** Packets as bit strings: the fields that the judged rules speak of, and sets of packets by field. */
import type { PacketSample } from '../../analyzer/packet-space/answers.js';
import { Bdd, everything, nothing, type Node } from './bdd.js';

export type Family = 'ipv4' | 'ipv6';

/** Names as the drawn rules use them, and for each kind of name that they do not use one more; '' where there is no interface. */
const usualInterfaces = ['', 'eth0', 'eth1', 'eth2', 'eth7', 'lo', 'wg0', 'wlan3'] as const;
export const states = ['INVALID', 'ESTABLISHED', 'RELATED', 'NEW', 'UNTRACKED'] as const;

/** In the order of the diagram: with addresses first, those of access lists are ten times smaller than with addresses last. */
const order = ['dst', 'src', 'protocol', 'fragment', 'ctstate', 'in', 'out', 'tcpFlags', 'icmpType', 'icmpCode', 'mark', 'dport', 'sport'] as const;
export type BitField = typeof order[number];
const widths = { protocol: 8, fragment: 1, ctstate: 3, in: 6, out: 6, tcpFlags: 6, icmpType: 8, icmpCode: 8, mark: 32, dport: 16, sport: 16 } as const;

export type Values = Partial<Record<BitField, bigint>>;

/** An address as a number. Of IPv6: eight groups, or `::` for some of them. */
export function addressValue(text: string, family: Family): bigint {
  if (family === 'ipv4') return text.split('.').reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const [front = '', back] = text.split('::');
  const groups = (part: string): string[] => part === '' ? [] : part.split(':');
  const [left, right] = [groups(front), groups(back ?? '')];
  const all = back === undefined ? left : [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

export function addressText(value: bigint, family: Family): string {
  if (family === 'ipv4') return [24n, 16n, 8n, 0n].map(shift => String((value >> shift) & 255n)).join('.');
  return Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(':');
}

export class PacketSets {
  readonly bdd: Bdd;
  readonly family: Family;
  /** The number of a name is its place; '' is the first. */
  readonly interfaces: readonly string[];
  readonly #starts: ReadonlyMap<BitField, number>;
  readonly #bits: number;

  /** @param limit how many nodes the diagrams may have. @param interfaces at most 64, of which the first is '' */
  constructor(family: Family, limit: number, interfaces: readonly string[] = usualInterfaces) {
    this.family = family;
    this.interfaces = interfaces;
    const starts = new Map<BitField, number>();
    let bits = 0;
    for (const field of order) {
      starts.set(field, bits);
      bits += this.width(field);
    }
    this.#starts = starts;
    this.#bits = bits;
    this.bdd = new Bdd(bits, limit);
  }

  width(field: BitField): number {
    return field === 'src' || field === 'dst' ? (this.family === 'ipv4' ? 32 : 128) : widths[field];
  }

  /** The packets with (field & mask) = value. */
  masked(field: BitField, value: bigint, mask: bigint): Node {
    const [start, width] = [this.#starts.get(field) ?? 0, this.width(field)];
    let set = everything;
    for (let bit = 0; bit < width; bit++) {
      if (((mask >> BigInt(bit)) & 1n) === 0n) continue;
      const isOne = ((value >> BigInt(bit)) & 1n) === 1n;
      set = this.bdd.node(start + width - 1 - bit, isOne ? nothing : set, isOne ? set : nothing);
    }
    return set;
  }

  is(field: BitField, value: bigint | number): Node {
    return this.masked(field, BigInt(value), (1n << BigInt(this.width(field))) - 1n);
  }

  /** The packets with field ≥ low: from the last bit to the first. */
  #atLeast(field: BitField, low: bigint): Node {
    const [start, width] = [this.#starts.get(field) ?? 0, this.width(field)];
    let set = everything;
    for (let bit = 0; bit < width; bit++) {
      const isOne = ((low >> BigInt(bit)) & 1n) === 1n;
      set = this.bdd.node(start + width - 1 - bit, isOne ? nothing : set, isOne ? set : everything);
    }
    return set;
  }

  range(field: BitField, low: bigint, high: bigint): Node {
    const isLargest = high >= (1n << BigInt(this.width(field))) - 1n;
    return isLargest ? this.#atLeast(field, low) : this.bdd.minus(this.#atLeast(field, low), this.#atLeast(field, high + 1n));
  }

  any(sets: readonly Node[]): Node {
    return sets.reduce((all, one) => this.bdd.or(all, one), nothing);
  }

  all(sets: readonly Node[]): Node {
    return sets.reduce((all, one) => this.bdd.and(all, one), everything);
  }

  /** The packet as bits; what is not said is 0. */
  bitsOf(values: Values): Uint8Array {
    const bits = new Uint8Array(this.#bits);
    for (const field of order) {
      const [start, width] = [this.#starts.get(field) ?? 0, this.width(field)];
      for (let bit = 0; bit < width; bit++) bits[start + width - 1 - bit] = Number(((values[field] ?? 0n) >> BigInt(bit)) & 1n);
    }
    return bits;
  }

  valuesOf(bits: Uint8Array): Record<BitField, bigint> {
    const entries = order.map(field => {
      const start = this.#starts.get(field) ?? 0;
      return [field, bits.subarray(start, start + this.width(field)).reduce((sum, bit) => (sum << 1n) | BigInt(bit), 0n)] as const;
    });
    return Object.fromEntries(entries) as Record<BitField, bigint>;
  }
}

/** A name's number among the usual ones; one that no rule uses is as good as another of its kind. */
function interfaceValue(name: string): number {
  const at = (usualInterfaces as readonly string[]).indexOf(name);
  return at >= 0 ? at : usualInterfaces.indexOf(name.startsWith('eth') ? 'eth7' : 'wlan3');
}

const hasIn = new Set(['PREROUTING', 'INPUT', 'FORWARD']);
const hasOut = new Set(['FORWARD', 'OUTPUT', 'POSTROUTING']);

/** A packet of a hook as an answer tells it; what is left out does not matter. @throws where it speaks of what no judged rule asks */
export function sampleValues(sample: PacketSample, hook: string, family: Family): Values {
  if (sample.atoms !== undefined) throw new Error(`properties that no rule asks for: ${JSON.stringify(sample.atoms)}`);
  const address = (text: string | undefined): bigint => text === undefined ? 1n : addressValue(text, family);
  return {
    protocol: BigInt(sample.protocol ?? 47), fragment: sample.fragment === true ? 1n : 0n, ctstate: BigInt(states.indexOf((sample.ctstate ?? 'INVALID') as 'NEW')),
    in: BigInt(interfaceValue(sample.in ?? (hasIn.has(hook) ? 'wlan3' : ''))), out: BigInt(interfaceValue(sample.out ?? (hasOut.has(hook) ? 'wlan3' : ''))),
    tcpFlags: BigInt(sample.tcpFlags ?? 16), icmpType: BigInt(sample.icmpType ?? usualType(sample.ctstate ?? 'INVALID', family)), icmpCode: BigInt(sample.icmpCode ?? 0), mark: BigInt(sample.mark ?? 0),
    dport: BigInt(sample.dport ?? 0), sport: BigInt(sample.sport ?? 0), dst: address(sample.dst), src: address(sample.src),
  };
}

/** TCP flags as Linux 6.18 was seen to call them NEW (or RELATED), behind anything that a client says whom nobody answers; ESTABLISHED have SYN/ACK as well. Whatever has others is INVALID, as no judged rule keeps packets from being tracked. */
const newFlags = ['S', 'SP', 'SU', 'SPU', 'A', 'PA', 'AU', 'PAU', 'FA', 'FPA', 'FAU', 'FPAU', 'R', 'RP', 'RA', 'RPA'];
const establishedFlags = [...newFlags, 'SA', 'SPA'];

/** ICMP types as Linux 6.18 was seen to call them, each behind requests of all kinds, answered or not, and with quotes of packets that were seen and that were not. */
const icmpSeen = {
  ipv4: { protocol: 1, NEW: ['8', '13', '15', '17'], ESTABLISHED: ['0', '8', '13:18'], RELATED: ['3:5', '11', '12'] },
  ipv6: { protocol: 58, NEW: ['128', '139'], ESTABLISHED: ['128', '129', '139', '140'], RELATED: ['0:127', '137'] },
} as const;

/** A type that a message may have whose type does not matter. */
function usualType(state: string, family: Family): bigint {
  const [type = '0'] = icmpSeen[family][state as 'NEW'] as readonly string[] | undefined ?? [];
  return BigInt(type.split(':')[0] ?? 0);
}

/** Packets in states that they cannot be in: all with such a state, but for those that can. */
function impossiblePackets(sets: PacketSets): Node {
  const flags = (letters: string): Node => sets.is('tcpFlags', [...letters].reduce((sum, one) => sum | 1 << 'FSRPAU'.indexOf(one), 0));
  const type = (word: string): Node => {
    const [low = '', high = low] = word.split(':');
    return sets.range('icmpType', BigInt(low), BigInt(high));
  };
  const others = (some: readonly Node[], ...of: readonly typeof states[number][]): Node => sets.bdd.minus(sets.any(of.map(state => sets.is('ctstate', states.indexOf(state)))), sets.any(some));
  const { protocol, ...icmp } = icmpSeen[sets.family];
  return sets.all([sets.is('fragment', 0), sets.any([
    sets.all([sets.is('protocol', 6), sets.any([others(newFlags.map(flags), 'NEW', 'RELATED'), others(establishedFlags.map(flags), 'ESTABLISHED', 'UNTRACKED')])]),
    sets.all([sets.is('protocol', protocol), sets.any((['NEW', 'ESTABLISHED', 'RELATED'] as const).map(state => others(icmp[state].map(type), state)))]),
  ])]);
}

/** The packets that a built-in chain sees. */
export function hookPackets(sets: PacketSets, hook: string): Node {
  const name = (field: 'in' | 'out', has: boolean): Node => has ? sets.range(field, 1n, BigInt(sets.interfaces.length - 1)) : sets.is(field, 0);
  // Of what is forwarded, POSTROUTING knows where it came in.
  return sets.bdd.minus(sets.all([...hook === 'POSTROUTING' ? [] : [name('in', hasIn.has(hook))], name('out', hasOut.has(hook)), sets.range('ctstate', 0n, BigInt(states.length - 1))]), impossiblePackets(sets));
}
