/** `iptables-lint merge REPORTS…` */
import type { Failure } from '../report/report.js';
import { isFailure } from './is-failure.js';
import { lintPlan } from './lint-plan.js';
import { joined } from './merge/join.js';
import { readPart, type Part } from './merge/read-part.js';
import { inOrderOfShards } from './merge/shards.js';
import { print } from './streams.js';
import { raiseExitCode, reportTrouble, Trouble } from './trouble.js';
import type { FailLevel } from './words.js';

export interface MergeOptions {
  readonly format?: 'json' | 'ndjson';
  readonly failOn?: FailLevel;
  readonly maxWarnings?: number;
  readonly config?: string | boolean;
}

/** Those that can be read; what is wrong with the others goes to `lost`. */
async function partsOf(paths: readonly string[], lost: (failure: Failure) => void): Promise<readonly Part[]> {
  const parts: Part[] = [];
  for (const path of paths) {
    try {
      parts.push(await readPart(path));
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      lost({ path, message: error.message });
    }
  }
  return parts;
}

/** What is missing, or damaged, is told, is in the joined report, and makes the exit code 2; the rest is joined. */
export async function merge(paths: readonly string[], { format, maxWarnings, ...said }: MergeOptions): Promise<void> {
  const { failOn } = await lintPlan(said);
  const lost: Failure[] = [];
  const lose = (failure: Failure): void => {
    reportTrouble(new Trouble(failure.message));
    lost.push(failure);
  };
  const { parts, problems } = inOrderOfShards(await partsOf(paths, lose));
  for (const message of problems) lose({ path: null, message });
  const { text, totals } = joined(parts, format ?? (parts.some(part => part.format === 'ndjson') ? 'ndjson' : 'json'), lost);
  if (isFailure(totals.counts, failOn, maxWarnings)) raiseExitCode(1);
  if (totals.incomplete > 0 || totals.internalErrors > 0) raiseExitCode(2);
  await print(text);
}
