/** Many things at once, and what comes of them one after the other. */

/**
 * Works on up to `width` items at once and yields in their order. No item is taken before there is room for it, so that what waits for
 * its turn never needs more memory than `width` results. Where `work` throws, so does this, at that item's turn.
 */
export async function* inOrder<T, R>(items: Iterable<T>, width: number, work: (item: T, index: number) => Promise<R>): AsyncGenerator<R, void> {
  const pending: Promise<R>[] = [];
  let index = 0;
  for (const item of items) {
    const result = work(item, index++);
    // It is looked at in its turn.
    result.catch(() => undefined);
    pending.push(result);
    if (pending.length >= width) yield await (pending.shift() as Promise<R>);
  }
  for (const result of pending) yield await result;
}
