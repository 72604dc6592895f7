/** What is known of a file besides its text: the host that has its rules, and the file beside it. */
import type { AnalyzeOptions } from '../analyzer/examine.js';
import { hostFilesFor, isHostFile } from './lint/collected.js';
import type { LintSettings } from './lint/linted.js';
import { isThere } from './is-there.js';
import { readSource, unnamedInput } from './read-source.js';
import type { SiblingOf } from './siblings.js';

/** The host of the rules. What reads it is loaded only for this. */
export async function hostOf(path: string | undefined): Promise<Pick<LintSettings, 'host'>> {
  if (path === undefined) return {};
  const [{ hostFrom }, { factsOf }] = await Promise.all([import('./trace/read-inputs.js'), import('./lint/collected.js')]);
  return { host: factsOf(await hostFrom(path)) };
}

/** The file beside the rules that says what their host is; undefined where there is none. @throws {Trouble} where it is neither a file nor a folder */
export function hostBeside(path: string): string | undefined {
  if (path === unnamedInput || isHostFile(path)) return undefined;
  return hostFilesFor(path).find(isThere);
}

/** The file with the rules of the same host for the other family: the one that is configured, or one beside it that is linted as well. `maxSize` is in megabytes. */
export async function siblingOf(path: string, among: SiblingOf, maxSize: number | undefined, configured?: string): Promise<Pick<AnalyzeOptions, 'sibling'>> {
  const beside = configured ?? among(path);
  return beside === undefined ? {} : { sibling: await readSource(beside, undefined, maxSize) };
}
