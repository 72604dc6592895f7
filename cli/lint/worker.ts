/** A thread that lints what it is sent, one source after the other. */
import { parentPort, threadId } from 'node:worker_threads';
import type { Linted, LintJob } from './linted.js';
import { lintJob } from './lint-job.js';

/** What comes back: the source stays behind where it is the one that was sent. */
export type Answer =
  | { readonly linted: Omit<Linted, 'source'> & { readonly source?: Linted['source'] }; readonly error?: undefined }
  | { readonly linted?: undefined; readonly error: unknown };

async function answerTo(job: LintJob): Promise<Answer> {
  try {
    const { source, times, ...rest } = await lintJob(job);
    const linted = times === undefined ? rest : { ...rest, times: { ...times, thread: threadId } };
    return { linted: source === job.source ? linted : { ...linted, source } };
  } catch (error) {
    return { error };
  }
}

/** Serves the thread that started this one, until that ends it. */
export function serve(): void {
  const port = parentPort;
  port?.on('message', (job: LintJob) => { void answerTo(job).then(answer => { port.postMessage(answer); }); });
}
