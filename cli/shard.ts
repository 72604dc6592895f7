/**
 * A part of the work, for one of several machines. Parts are runs of the list of files, as even as they can be: joined in their order they are
 * the whole list in its order, so that `merge` gives the report that one machine would have given. A hash of each path would split them as well, and
 * lose that order. Parts belong together where they are of the same list, which a hash of it tells.
 */
import { createHash } from 'node:crypto';
import type { Shard } from '../report/report.js';
import type { ShardOption } from './options.js';

export function shardOf(all: readonly string[], { index, count }: ShardOption): { readonly files: readonly string[]; readonly shard: Shard } {
  const border = (part: number): number => Math.round(all.length * part / count);
  const list = createHash('sha256').update(all.join('\0')).digest('hex').slice(0, 32);
  return { files: all.slice(border(index - 1), border(index)), shard: { index, count, list } };
}
