/** What cli.ts and thread.ts load: one file when it is bundled, of which a command sets up the parts that it needs. */
export { importBy } from './import-module.js';
export { leave } from './leave.js';
export { main } from './main.js';
export { isAllWritten } from './streams.js';

/** The same, as a thread of the program that lints. */
export async function serve(): Promise<void> {
  (await import('./lint/worker.js')).serve();
}
