/** Parts in their order; what is missing of them, or twice. */
import type { Part } from './read-part.js';

export interface Sorted {
  readonly parts: readonly Part[];
  /** One line each; whoever merges shall know that not all is there. */
  readonly problems: readonly string[];
}

function numbers(all: readonly number[]): string {
  return all.length > 10 ? `${all.slice(0, 10).join(', ')} and ${String(all.length - 10)} more` : all.join(', ');
}

/** Reports of files, each of which may be in one of them only. */
function plain(parts: readonly Part[]): Sorted {
  const seen = new Map<string, string>();
  const problems: string[] = [];
  const kept = parts.filter(part => {
    const twice = [...part.of].find(path => seen.has(path));
    if (twice !== undefined) problems.push(`${part.path} is left out: it has ${twice}, which ${seen.get(twice) ?? ''} has as well`);
    else for (const path of part.of) seen.set(path, part.path);
    return twice === undefined;
  });
  return { parts: kept, problems };
}

/** Reports of `--shard` by its number, others as they were named. */
export function inOrderOfShards(parts: readonly Part[]): Sorted {
  const [first] = parts.flatMap(({ shard }) => shard ?? []);
  if (first === undefined) return plain(parts);
  const problems: string[] = [];
  const byNumber = new Map<number, Part>();
  for (const part of parts) {
    const { path, shard } = part;
    const other = shard === undefined ? undefined : byNumber.get(shard.index);
    if (shard === undefined) problems.push(`${path} is left out: it is of no shard, and others are`);
    else if (shard.count !== first.count || shard.list !== first.list) problems.push(`${path} is left out: it is a shard of other files, or of another number of parts`);
    else if (other !== undefined) problems.push(`${path} is left out: ${other.path} is shard ${String(shard.index)} as well`);
    else byNumber.set(shard.index, part);
  }
  const missing = Array.from({ length: first.count }, (_, index) => index + 1).filter(number => !byNumber.has(number));
  if (missing.length > 0) problems.push(`of ${String(first.count)} shards ${missing.length === 1 ? 'one is' : `${String(missing.length)} are`} missing: ${numbers(missing)}`);
  return { parts: [...byNumber].sort(([a], [b]) => a - b).map(([, part]) => part), problems };
}
