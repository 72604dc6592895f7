/** A heap: what is largest comes out first. */
export class LargestFirst<T extends { readonly size: number }> {
  readonly #items: T[] = [];

  push(item: T): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = items[up];
      if (above === undefined || above.size >= item.size) break;
      items[at] = above;
      items[up] = item;
      at = up;
    }
  }

  pop(): T | undefined {
    const items = this.#items;
    const [top] = items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    items[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const below = (items[left + 1]?.size ?? -Infinity) > (items[left]?.size ?? -Infinity) ? left + 1 : left;
      const larger = items[below];
      if (larger === undefined || larger.size <= last.size) return top;
      items[at] = larger;
      items[below] = last;
      at = below;
    }
  }
}
