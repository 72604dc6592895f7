/** Lints files, many at once where that is worth it, and hands out what comes of them in the order of the files. */
import { statSync } from 'node:fs';
import type { SourceText } from '../../grammar/source-text.js';
import { countTimes } from '../stats.js';
import { Trouble } from '../trouble.js';
import { inOrder } from './in-order.js';
import { jobsOf, type JobContext } from './jobs.js';
import { lintJob } from './lint-job.js';
import type { Lint, Linted, LintJob } from './linted.js';
import type { Pool } from './pool.js';

/** What came of a rule set, and the fingerprints of what was known of it before. */
export interface Judged extends Linted {
  readonly known: ReadonlySet<string>;
}

/** What came of a file: all of its rule sets, or why not. */
export interface Outcome {
  readonly file: string;
  readonly linted: readonly Judged[];
  readonly error?: unknown;
  /** Of the rules that the error is about; absent where it names them itself. */
  readonly during?: string;
}

export interface OutcomesContext extends JobContext {
  /** What is known of rules already; it may have to lint as well. Absent: nothing. */
  readonly known?: ((source: SourceText, lint: Lint) => Promise<ReadonlySet<string>>) | undefined;
  /** So many threads, where there is much to do. */
  readonly jobs: number;
  /** Seconds that a thread may take for a rule set. */
  readonly timeout: number;
  /** Is told of what is about to be linted, where that is done one after the other. */
  readonly begin: (source: SourceText) => void;
}

/** Fewer bytes than this in several files are linted sooner than threads have started. */
const worthThreads = 60_000;
/** Fewer characters than this in one file, as 1,000 rules are, are linted here: a thread has a heap of its own, with the program in it once more. */
const worthThread = 100_000;
/** Files that are read, or wait for their turn, for each thread. */
const ahead = 8;

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

function isMuch(files: readonly string[]): boolean {
  if (files.length < 2) return false;
  let bytes = 0;
  for (const file of files) {
    bytes += sizeOf(file);
    if (bytes >= worthThreads) return true;
  }
  return false;
}

/** What is short is linted here, as our own checks come to an end; nobody knows whether those of others do. */
function isForThread({ source, settings }: LintJob): boolean {
  return source.text.length >= worthThread || settings.plugins !== undefined;
}

async function outcomeOf(file: string, context: OutcomesContext, lint: Lint, begin: OutcomesContext['begin']): Promise<Outcome> {
  let during: string | undefined;
  try {
    const linted: Judged[] = [];
    for (const job of await jobsOf(file, context)) {
      during = job.source.path;
      begin(job.source);
      linted.push({ ...await lint(job), known: await context.known?.(job.source, lint) ?? new Set() });
    }
    return { file, linted };
  } catch (error) {
    return { file, linted: [], error, ...during === undefined ? {} : { during } };
  }
}

/** In the order of the files. Nothing but `timeout` depends on how long anything takes. What is not needed for one short file is not loaded for it. */
export async function* outcomes(files: readonly string[], context: OutcomesContext): AsyncGenerator<Outcome, void> {
  const { jobs, timeout, begin } = context;
  const isMany = isMuch(files);
  const isSingle = files.length === 1;
  let pool: Promise<Pool> | undefined;
  const inThread = async (job: LintJob): Promise<Linted> => {
    pool ??= import('./pool.js').then(({ Pool }) => new Pool(Math.max(1, Math.min(jobs, files.length)), timeout, isSingle));
    return (await pool).lint(job);
  };
  const end = async (): Promise<void> => {
    const ended = pool;
    pool = undefined;
    await (await ended)?.close();
  };
  const counted: Lint = async job => {
    const linted = await (isMany || isForThread(job) ? inThread(job) : lintJob(job));
    countTimes(linted.times);
    return linted;
  };
  const once = isSingle && context.known === undefined ? undefined : new (await import('./once.js')).Once();
  const lint: Lint = job => once === undefined ? counted(job) : once.lint(job, counted);
  try {
    yield* inOrder(files, isMany ? jobs * ahead : 1, async file => {
      const outcome = await outcomeOf(file, context, lint, isMany ? () => undefined : begin);
      // What came of it may be much: the memory of its thread is given back before that is written.
      if (isSingle) await end();
      return outcome;
    });
  } finally {
    await end();
  }
}

/** What to say of an outcome that is none. */
export function failureOf({ error, during }: Outcome): { readonly error: unknown; readonly during: string; readonly message: string } {
  const message = error instanceof Error ? error.message : String(error);
  const isNamed = during === undefined || (error instanceof Trouble && message.includes(during));
  return { error, during: isNamed ? '' : `${during}: `, message };
}
