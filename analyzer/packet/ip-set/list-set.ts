/** A set of sets: list:set. */
import { isExpired, type Element } from './element.js';
import type { SetHeader } from './set-header.js';

/** Members in their order; a packet is looked up in one after the other. @see net/netfilter/ipset/ip_set_list_set.c */
export class ListSet {
  readonly header: SetHeader;
  readonly #now: () => number;
  #members: Element[] = [];

  constructor(header: SetHeader, now: () => number) {
    this.header = header;
    this.#now = now;
  }

  elements(): readonly Element[] {
    const now = this.#now();
    return this.#members.filter(one => !isExpired(one, now));
  }

  /** Puts it at the end, or next to the member `neighbour`; false where it is there already and `exist` does not say that this will do. */
  add(element: Element, exist: boolean, place?: { readonly where: 'before' | 'after'; readonly neighbour: string }): boolean {
    this.#members = [...this.elements()];
    const at = this.#indexOf(String(element.values[0]));
    if (at !== -1) {
      if (exist) this.#members[at] = element;
      return exist;
    }
    const next = place === undefined ? -1 : this.#indexOf(place.neighbour);
    if (next === -1) this.#members.push(element);
    else this.#members.splice(place?.where === 'before' ? next : next + 1, 0, element);
    return true;
  }

  has(name: string): boolean {
    return this.elements().some(({ values }) => values[0] === name);
  }

  remove(name: string): boolean {
    const at = this.#indexOf(name);
    if (at !== -1) this.#members.splice(at, 1);
    return at !== -1;
  }

  clear(): void {
    this.#members = [];
  }

  #indexOf(name: string): number {
    return this.#members.findIndex(({ values }) => values[0] === name);
  }
}
