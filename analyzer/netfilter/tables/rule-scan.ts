/** The rules of a chain that a packet may match: of long chains a packet runs over those that stand where its own addresses and port lead. */
import type { Family } from '../../values/value.js';
import { PackedRules, type QuickTest, type ScanKey, type UpperBits } from './packed-rules.js';

/** Some rules of a chain, sorted; or these divided by what they ask of one field. */
type Part = Int32Array | Divided;

interface Divided {
  readonly by: UpperBits | 'dport';
  readonly parts: ReadonlyMap<number, Part>;
  /** Those that do not ask for one value of it. */
  readonly rest: Part;
}

/** Rules that a packet runs over one by one. */
const few = 128;

/** What rules are divided by, one after the other. */
function divisions(words: number): readonly Divided['by'][] {
  const fields: Divided['by'][] = [];
  for (let word = 0; word < words; word++) for (const shift of [16, 8, 0]) for (const of of ['dst', 'src'] as const) fields.push({ of, word, shift });
  return [...fields, 'dport'];
}

export class RuleScan {
  readonly #rules: PackedRules;
  /** Made when a packet first comes to a long chain. */
  #part: Part | undefined;

  constructor(tests: readonly QuickTest[], family: Family) {
    this.#rules = new PackedRules(tests, family);
  }

  /** As `ScanKey.next`. */
  next(key: ScanKey, from: number): number {
    const rules = this.#rules;
    if (rules.length <= few) return key.next(rules, from);
    this.#part ??= this.#divided(Array.from({ length: rules.length }, (_, rule) => rule), divisions(rules.words));
    return this.#first(this.#part, key, from, rules.length);
  }

  #first(part: Part, key: ScanKey, from: number, limit: number): number {
    if (part instanceof Int32Array) return key.nextAmong(part, this.#rules, from, limit);
    const { by, parts, rest } = part;
    let best = this.#first(rest, key, from, limit);
    for (const own of by === 'dport' && key.dport < 0 ? parts.values() : [parts.get(by === 'dport' ? key.dport : key.upper(by))]) if (own !== undefined) best = this.#first(own, key, from, best);
    return best;
  }

  #divided(rules: readonly number[], [by, ...later]: readonly Divided['by'][]): Part {
    if (by === undefined || rules.length <= few) return Int32Array.from(rules);
    const lists = new Map<number | undefined, number[]>();
    for (const rule of rules) put(lists, by === 'dport' ? this.#rules.dportOf(rule) : this.#rules.upper(rule, by), rule);
    if (lists.size === 1) return this.#divided(rules, later);
    const parts = new Map<number, Part>();
    for (const [value, list] of lists) if (value !== undefined) parts.set(value, this.#divided(list, later));
    return { by, parts, rest: this.#divided(lists.get(undefined) ?? [], later) };
  }
}

function put(lists: Map<number | undefined, number[]>, value: number | undefined, rule: number): void {
  const known = lists.get(value);
  if (known === undefined) lists.set(value, [rule]);
  else known.push(rule);
}
