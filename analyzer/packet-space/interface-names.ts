/**
 * All interface names there could be, as a line of classes: each name that a rule mentions, and under each
 * prefix the names that no rule mentions. A prefix then is an interval of neighbours. lo comes before all
 * others, so that these, which most questions are about, are one interval and not two.
 */
import { merge, type Intervals } from './intervals.js';

interface NameClass {
  /** The name itself, or the prefix that its unmentioned names begin with. */
  readonly text: string;
  readonly other: boolean;
}

export class InterfaceNames {
  /** The first class is the empty name: a packet that has no such interface. */
  readonly classes: readonly NameClass[];
  readonly #keys: readonly string[];
  /** Names that stand for classes, as they were found; by class and what was wanted. */
  readonly #found = new Map<string, string>();

  constructor(names: Iterable<string>, prefixes: Iterable<string>) {
    const classes: NameClass[] = [...new Set(names)].filter(text => text !== '').map(text => ({ text, other: false }));
    for (const text of new Set(['', ...prefixes])) classes.push({ text, other: true });
    const keyed = classes.map(one => ({ one, key: keyOf(one) })).sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
    this.classes = [{ text: '', other: false }, ...keyed.map(({ one }) => one)];
    this.#keys = ['', ...keyed.map(({ key }) => key)];
  }

  /** The class of one name. */
  classOf(name: string): number {
    if (name === '') return 0;
    const key = keyOf({ text: name, other: false });
    const exact = this.#find(key);
    if (this.#keys[exact] === key) return exact;
    for (let length = name.length; length > 0; length--) {
      const at = this.#find(`${name.slice(0, length)}\uffff`);
      if (this.#keys[at] === `${name.slice(0, length)}\uffff`) return at;
    }
    return this.#keys.length - 1;
  }

  /**
   * The classes with names that begin so (`touching`), or with such names only. They are the
   * same for what rules mention; a question may mention others.
   */
  withPrefix(prefix: string, touching: boolean): Intervals {
    // A lone `+` compares no byte, so that even a missing interface matches (ifname_compare, ip_tables.c).
    if (prefix === '') return [0, this.#keys.length - 1];
    const low = this.#find(prefix);
    let high = low;
    while (high < this.#keys.length && (this.#keys[high] ?? '').startsWith(prefix)) high++;
    const hasLo = loopback.startsWith(prefix) && this.#keys[1] === loopbackKey;
    const inside = merge([...hasLo ? [[1, 1] as const] : [], ...low < high ? [[low, high - 1] as const] : []]);
    const last = this.#keys[high - 1];
    if (!touching || last === `${prefix}\uffff`) return inside;
    // Names of which nothing is mentioned but how they begin, and so shorter prefixes speak for them, behind these.
    const around = this.classOf(`${prefix}\u0001`);
    return [...inside, around, around];
  }

  /** The first class whose key is not smaller. */
  #find(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Some name of a class: with `wanted`, that one if it is of the class. */
  nameIn(index: number, wanted: readonly string[]): string {
    const one = this.classes[index];
    if (one === undefined || index === 0) return '';
    if (!one.other) return one.text;
    const key = `${String(index)} ${wanted.join(' ')}`;
    let name = this.#found.get(key);
    if (name === undefined) this.#found.set(key, name = this.#nameOf(one, index, wanted));
    return name;
  }

  #nameOf(one: NameClass, index: number, wanted: readonly string[]): string {
    const stem = one.text === '' ? ['eth', 'wan', 'net', 'if', 'x'] : [one.text];
    const tries = [...wanted, ...stem.flatMap(text => Array.from({ length: 40 }, (_, i) => `${text}${String(i)}`.slice(0, 15)))];
    return tries.find(name => name !== '' && this.classOf(name) === index) ?? `${one.text}~`.slice(0, 15);
  }
}

const loopback = 'lo';
const loopbackKey = '\u0001';

/** A name sorts before what it begins; what is unmentioned sorts behind all that begins so. */
function keyOf({ text, other }: NameClass): string {
  if (text === loopback && !other) return loopbackKey;
  return other ? `${text}\uffff` : `${text}\0`;
}
