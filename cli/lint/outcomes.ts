/** Lints files, many at once where that is worth it, and hands out what comes of them in the order of the files. */
import { stat } from 'node:fs/promises';
import type { SourceText } from '../../grammar/source-text.js';
import { Trouble } from '../trouble.js';
import { inOrder } from './in-order.js';
import { jobsOf, type JobContext } from './jobs.js';
import { lintJob } from './lint-job.js';
import type { Linted, LintJob } from './linted.js';
import { Once } from './once.js';
import { Pool } from './pool.js';

/** What came of a file: all of its rule sets, or why not. */
export interface Outcome {
  readonly file: string;
  readonly linted: readonly Linted[];
  readonly error?: unknown;
  /** Of the rules that the error is about; absent where it names them itself. */
  readonly during?: string;
}

/** Fewer bytes than this are linted sooner than threads have started. */
const worthThreads = 60_000;
/** Files that are read, or wait for their turn, for each thread. */
const ahead = 8;

async function isMuch(files: readonly string[]): Promise<boolean> {
  let bytes = 0;
  for (const file of files) {
    bytes += await stat(file).then(({ size }) => size, () => 0);
    if (bytes >= worthThreads) return files.length > 1;
  }
  return false;
}

async function outcomeOf(file: string, context: JobContext, lint: (job: LintJob) => Promise<Linted>, begin: (source: SourceText) => void = () => undefined): Promise<Outcome> {
  let during: string | undefined;
  try {
    const linted: Linted[] = [];
    for (const job of await jobsOf(file, context)) {
      during = job.source.path;
      begin(job.source);
      linted.push(await lint(job));
    }
    return { file, linted };
  } catch (error) {
    return { file, linted: [], error, ...during === undefined ? {} : { during } };
  }
}

/** `jobs`: threads, where there is much to do. `begin` is told of what this thread is about to lint. */
export async function* outcomes(files: readonly string[], context: JobContext, jobs: number, begin: (source: SourceText) => void): AsyncGenerator<Outcome, void> {
  const once = new Once();
  if (jobs < 2 || !(await isMuch(files))) {
    yield* inOrder(files, 1, file => outcomeOf(file, context, job => once.lint(job, lintJob), begin));
    return;
  }
  const pool = new Pool(Math.min(jobs, files.length));
  try {
    yield* inOrder(files, jobs * ahead, file => outcomeOf(file, context, job => once.lint(job, one => pool.lint(one))));
  } finally {
    await pool.close();
  }
}

/** What to say of an outcome that is none. */
export function failureOf({ error, during }: Outcome): { readonly error: unknown; readonly during: string; readonly message: string } {
  const message = error instanceof Error ? error.message : String(error);
  const isNamed = during === undefined || (error instanceof Trouble && message.includes(during));
  return { error, during: isNamed ? '' : `${during}: `, message };
}
