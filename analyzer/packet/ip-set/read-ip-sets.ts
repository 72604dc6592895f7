/** From the text of `ipset save` to sets. */
import { Problem, refuse } from '../../values/value.js';
import { noMac, type Element } from './element.js';
import { ElementSet, type AddResult } from './element-set.js';
import { IpSetTable, type NamedSet } from './ip-set-table.js';
import type { ListSet } from './list-set.js';
import { readCreate } from './read-create.js';
import { readElementOptions, readElements, type ElementOptions } from './read-element.js';

export interface IpSetProblem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface ReadIpSets {
  readonly sets: IpSetTable;
  readonly problems: readonly IpSetProblem[];
}

/** Words, of which those in double quotes may have blanks in them. */
function wordsOf(line: string): string[] {
  return Array.from(line.matchAll(/"([^"]*)"|\S+/gu), ([word, quoted]) => quoted ?? word);
}

const wrongs: Readonly<Record<Exclude<AddResult, 'added'>, string>> = {
  'exists': 'it is there already', 'full': 'the set is full', 'out of range': 'it is out of the range of the set', 'null': 'an element that is all zero cannot be stored',
};

/** Values as the set keeps them, or why it cannot. */
function prepare(set: ElementSet, element: Element): 'out of range' | 'null' | undefined {
  const wrong = set.normalize(element.values);
  set.maskNets(element.values, element.lengths);
  // Time does not run for an address that waits for its MAC address.
  const isWaiting = element.values[1] === noMac;
  element.extensions = { ...element.extensions, ...isWaiting ? { expires: undefined } : { pendingTimeout: undefined } };
  return wrong;
}

class Reader {
  readonly table: IpSetTable;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.table = new IpSetTable(now);
  }

  /** @see ipset(8): the commands that `ipset restore` takes; those that only ask are passed over. */
  readLine(line: string): Problem | undefined {
    const all = wordsOf(line);
    const words = all.filter((word, index) => !((word === '-exist' || word === '-!') && (index < 2 || index === all.length - 1)));
    const exist = words.length < all.length;
    const [command = '', name = '', ...rest] = words;
    switch (command) {
      case '': case 'COMMIT': return undefined;
      case 'create': case '-N': case 'n': return this.#create(name, rest, exist);
      case 'add': case '-A': case 'a': return this.#change(name, rest, exist, 'add');
      case 'del': case '-D': case 'd': return this.#change(name, rest, exist, 'del');
      case 'flush': case '-F': return this.#withSet(name, set => this.#clear(set));
      case 'destroy': case '-X': return this.#withSet(name, () => this.#destroy(name));
      default: return refuse(`\`${command}\` is no command for a set: create, add, del, flush or destroy`);
    }
  }

  #create(name: string, [type = '', ...words]: readonly string[], exist: boolean): Problem | undefined {
    if (name === '' || type === '') return refuse('create needs a name and a type');
    if (this.table.get(name) !== undefined) return exist ? undefined : refuse(`the set ${name} is there already`);
    const header = readCreate(name, type, words);
    if (header instanceof Problem) return header;
    this.table.create(header);
    return undefined;
  }

  #clear(set: NamedSet): undefined {
    set.clear();
  }

  #destroy(name: string): undefined {
    this.table.destroy(name);
  }

  #withSet(name: string, then: (set: NamedSet) => Problem | undefined): Problem | undefined {
    const set = this.table.get(name);
    return set === undefined ? refuse(name === '' ? 'the name of the set is missing' : `there is no set ${name}`) : then(set);
  }

  #change(name: string, [text, ...words]: readonly string[], exist: boolean, what: 'add' | 'del'): Problem | undefined {
    return this.#withSet(name, set => {
      if (text === undefined) return refuse('the element is missing');
      const options = readElementOptions(words, set.header, this.#now());
      if (options instanceof Problem) return options;
      const elements = readElements(text, set.header, options);
      if (elements instanceof Problem) return elements;
      if (!(set instanceof ElementSet)) return this.#changeList(set, elements, options, exist, what);
      return what === 'add' ? addAll(set, elements, exist) : removeAll(set, elements, exist);
    });
  }

  #changeList(list: ListSet, elements: Iterable<Element>, { place }: ElementOptions, exist: boolean, what: 'add' | 'del'): Problem | undefined {
    for (const element of elements) {
      const name = String(element.values[0]);
      const member = this.table.get(name);
      if (member === undefined) return refuse(`there is no set ${name}`);
      if (member.header.type.storage === 'list') return refuse(`${name} is a list:set, which cannot be in another one`);
      if (place !== undefined && !list.has(place.neighbour)) return refuse(`the set ${place.neighbour} is not in the list`);
      const isDone = what === 'add' ? list.add(element, exist, place) : list.remove(name) || exist;
      if (!isDone) return refuse(`${name} is ${what === 'add' ? 'in the list already' : 'not in the list'}`);
    }
    return undefined;
  }
}

/** Addresses of a range that a netmask puts into one group are one element. */
function addAll(set: ElementSet, elements: Iterable<Element>, exist: boolean): Problem | undefined {
  let last: Element | undefined;
  for (const element of elements) {
    const wrong = prepare(set, element);
    if (last !== undefined && isSameElement(last, element)) continue;
    const result = wrong ?? set.add(element, exist);
    if (result !== 'added') return refuse(wrongs[result]);
    last = element;
  }
  return undefined;
}

function isSameElement(one: Element, other: Element): boolean {
  return one.values.every((value, index) => value === other.values[index]) && one.lengths.every((length, index) => length === other.lengths[index]);
}

function removeAll(set: ElementSet, elements: Iterable<Element>, exist: boolean): Problem | undefined {
  for (const element of elements) {
    const wrong = prepare(set, element);
    if (wrong !== undefined) return refuse(wrongs[wrong]);
    if (!set.remove(element.values, element.lengths, element.physdev) && !exist) return refuse('it is not in the set');
  }
  return undefined;
}

/**
 * Reads sets line by line; a line that is wrong is passed over and said. `now` is the host's clock in seconds, by which elements expire.
 */
export function readIpSets(text: string, { now }: { readonly now: () => number }): ReadIpSets {
  const reader = new Reader(now);
  const problems: IpSetProblem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    const problem = trimmed.startsWith('#') ? undefined : reader.readLine(trimmed);
    if (problem !== undefined) problems.push({ line: index + 1, message: problem.message });
  }
  return { sets: reader.table, problems };
}
