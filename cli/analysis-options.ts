/** What is known of a file besides its text: the host that has its rules, and the file beside it. */
import { stat } from 'node:fs/promises';
import type { AnalyzeOptions } from '../analyzer/examine.js';
import { hostFilesFor, isHostFile } from './lint/collected.js';
import type { LintSettings } from './lint/linted.js';
import { readSource, unnamedInput } from './read-source.js';
import type { SiblingOf } from './siblings.js';

/** The host of the rules. What reads it is loaded only for this. */
export async function hostOf(path: string | undefined): Promise<Pick<LintSettings, 'host'>> {
  if (path === undefined) return {};
  const [{ hostFrom }, { factsOf }] = await Promise.all([import('./trace/read-inputs.js'), import('./lint/collected.js')]);
  return { host: factsOf(await hostFrom(path)) };
}

/** The file beside the rules that says what their host is; undefined where there is none. What else is wrong with one is seen by whoever reads it. */
export async function hostBeside(path: string): Promise<string | undefined> {
  if (path === unnamedInput || isHostFile(path)) return undefined;
  for (const file of hostFilesFor(path)) {
    const isThere = await stat(file).then(() => true, (error: unknown) => !(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')));
    if (isThere) return file;
  }
  return undefined;
}

/** The file with the rules of the same host for the other family: the one that is configured, or one beside it that is linted as well. `maxSize` is in megabytes. */
export async function siblingOf(path: string, among: SiblingOf, maxSize: number | undefined, configured?: string): Promise<Pick<AnalyzeOptions, 'sibling'>> {
  const beside = configured ?? among(path);
  return beside === undefined ? {} : { sibling: await readSource(beside, undefined, maxSize) };
}
