/**
 * Reduced ordered binary decision diagrams (Bryant, 1986): sets of bit strings. A set is the number of its root node; equal sets have
 * equal numbers. Written to be read, and sharing nothing with what it judges.
 */

/** A set of packets. */
export type Node = number;

export const nothing: Node = 0;
export const everything: Node = 1;

/** There would be more nodes than was allowed. */
export class TooLarge extends Error {}

/** What is left of two sets, by number: the cache is keyed by it. */
const operations = { and: 1, or: 2, minus: 3, meets: 4 } as const;
type Operation = typeof operations[keyof typeof operations];

const cacheSize = 1 << 20;

function mix(a: number, b: number, c: number): number {
  const hash = Math.imul(a, 0x9e37_79b1) ^ Math.imul(b, 0x85eb_ca6b) ^ Math.imul(c, 0xc2b2_ae35);
  return (hash ^ (hash >>> 15)) >>> 0;
}

export class Bdd {
  readonly #limit: number;
  #size = 2;
  #variable = new Int32Array(1 << 12);
  #low = new Int32Array(1 << 12);
  #high = new Int32Array(1 << 12);
  /** Unique table: the first node of each hash, and behind each node the next of the same hash. */
  #first = new Int32Array(1 << 12);
  #next = new Int32Array(1 << 12);
  /** Four numbers an entry: operation, both operands, result. An entry goes where another one needs its place. */
  readonly #cache = new Int32Array(4 * cacheSize);

  /** @param variables how many bits there are. @param limit how many nodes there may be: one more throws {@link TooLarge}. */
  constructor(variables: number, limit: number) {
    this.#limit = limit;
    // Of the two constants: behind all others.
    this.#variable.fill(variables, 0, 2);
  }

  get size(): number { return this.#size; }

  /** The set that is `low` where the bit is 0, and `high` where it is 1. */
  node(variable: number, low: Node, high: Node): Node {
    if (low === high) return low;
    const place = mix(variable, low, high) & (this.#first.length - 1);
    for (let one = this.#first[place] ?? 0; one !== 0; one = this.#next[one] ?? 0) {
      if (this.#variable[one] === variable && this.#low[one] === low && this.#high[one] === high) return one;
    }
    if (this.#size >= this.#limit) throw new TooLarge(`${String(this.#size)} nodes`);
    if (this.#size === this.#variable.length) {
      this.#grow();
      return this.node(variable, low, high);
    }
    const made = this.#size++;
    [this.#variable[made], this.#low[made], this.#high[made]] = [variable, low, high];
    [this.#next[made], this.#first[place]] = [this.#first[place] ?? 0, made];
    return made;
  }

  #grow(): void {
    const doubled = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(2 * old.length);
      larger.set(old);
      return larger;
    };
    [this.#variable, this.#low, this.#high, this.#next] = [doubled(this.#variable), doubled(this.#low), doubled(this.#high), doubled(this.#next)];
    this.#first = new Int32Array(2 * this.#first.length);
    for (let one = 2; one < this.#size; one++) {
      const place = mix(this.#variable[one] ?? 0, this.#low[one] ?? 0, this.#high[one] ?? 0) & (this.#first.length - 1);
      [this.#next[one], this.#first[place]] = [this.#first[place] ?? 0, one];
    }
  }

  and(a: Node, b: Node): Node { return this.#apply(operations.and, a, b); }
  or(a: Node, b: Node): Node { return this.#apply(operations.or, a, b); }
  minus(a: Node, b: Node): Node { return this.#apply(operations.minus, a, b); }
  not(a: Node): Node { return this.minus(everything, a); }
  /** Whether two sets have anything in common. */
  meets(a: Node, b: Node): boolean { return this.#apply(operations.meets, a, b) === everything; }
  /** Whether all of `a` is in `b`. */
  isWithin(a: Node, b: Node): boolean { return this.minus(a, b) === nothing; }

  /** What needs no look at the bits; undefined where it does. */
  #simple(operation: Operation, a: Node, b: Node): Node | undefined {
    switch (operation) {
      case operations.and: return a === nothing || b === nothing ? nothing : a === everything || a === b ? b : b === everything ? a : undefined;
      case operations.or: return a === everything || b === everything ? everything : a === nothing || a === b ? b : b === nothing ? a : undefined;
      case operations.minus: return a === nothing || a === b || b === everything ? nothing : b === nothing ? a : undefined;
      // Every set but `nothing` has a member.
      case operations.meets: return a === nothing || b === nothing ? nothing : a === everything || b === everything || a === b ? everything : undefined;
    }
  }

  #apply(operation: Operation, a: Node, b: Node): Node {
    const simple = this.#simple(operation, a, b);
    if (simple !== undefined) return simple;
    const place = 4 * (mix(a, b, operation) & (cacheSize - 1));
    const cache = this.#cache;
    if (cache[place] === operation && cache[place + 1] === a && cache[place + 2] === b) return cache[place + 3] ?? 0;
    const result = this.#applyBelow(operation, a, b);
    [cache[place], cache[place + 1], cache[place + 2], cache[place + 3]] = [operation, a, b, result];
    return result;
  }

  #applyBelow(operation: Operation, a: Node, b: Node): Node {
    const [ofA, ofB] = [this.#variable[a] ?? 0, this.#variable[b] ?? 0];
    const variable = Math.min(ofA, ofB);
    const [lowA, highA] = ofA === variable ? [this.#low[a] ?? 0, this.#high[a] ?? 0] : [a, a];
    const [lowB, highB] = ofB === variable ? [this.#low[b] ?? 0, this.#high[b] ?? 0] : [b, b];
    const low = this.#apply(operation, lowA, lowB);
    if (operation === operations.meets && low === everything) return everything;
    const high = this.#apply(operation, highA, highB);
    return operation === operations.meets ? high : this.node(variable, low, high);
  }

  /** Whether the string is in the set; `bits`: 0 or 1 by variable. */
  has(set: Node, bits: Uint8Array): boolean {
    let at = set;
    while (at > everything) at = (bits[this.#variable[at] ?? 0] === 1 ? this.#high[at] : this.#low[at]) ?? nothing;
    return at === everything;
  }

  /** A member of the set, each bit as `wish` (by variable) would have it, if that is possible; undefined if the set is empty. */
  member(set: Node, wish: Uint8Array): Uint8Array | undefined {
    if (set === nothing) return undefined;
    const bits = wish.slice();
    for (let at = set; at > everything;) {
      const variable = this.#variable[at] ?? 0;
      const wished = (bits[variable] === 1 ? this.#high[at] : this.#low[at]) ?? nothing;
      if (wished === nothing) bits[variable] = 1 - (bits[variable] ?? 0);
      at = wished === nothing ? (bits[variable] === 1 ? this.#high[at] : this.#low[at]) ?? nothing : wished;
    }
    return bits;
  }

  /** How many members the set has. */
  count(set: Node): bigint {
    const known = new Map<Node, bigint>();
    const below = (node: Node, from: number): bigint => node === nothing ? 0n : own(node) << BigInt((this.#variable[node] ?? 0) - from);
    const own = (node: Node): bigint => {
      if (node === everything) return 1n;
      const next = (this.#variable[node] ?? 0) + 1;
      const count = known.get(node) ?? below(this.#low[node] ?? 0, next) + below(this.#high[node] ?? 0, next);
      known.set(node, count);
      return count;
    };
    return below(set, 0);
  }
}
