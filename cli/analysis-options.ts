/** What is known of a file besides its text: the host that has its rules, and the file beside it. */
import type { AnalyzeOptions } from '../analyzer/examine.js';
import { readSource } from './read-source.js';
import { areSiblings } from './siblings.js';

/** The host of the rules. What reads it is loaded only for this. */
export async function hostOf(path: string | undefined): Promise<Pick<AnalyzeOptions, 'host'>> {
  if (path === undefined) return {};
  const [{ hostFrom }, { setupOf }] = await Promise.all([import('./trace/read-inputs.js'), import('../analyzer/netfilter/scenario/host-setup.js')]);
  const description = await hostFrom(path);
  return { host: family => setupOf(description, family) };
}

/** The file with the rules of the same host for the other family: the one that is configured, or one beside it that is linted as well. `maxSize` is in megabytes. */
export async function siblingOf(path: string, files: readonly string[], maxSize: number | undefined, configured?: string): Promise<Pick<AnalyzeOptions, 'sibling'>> {
  const beside = configured ?? files.find(file => areSiblings(file, path));
  return beside === undefined ? {} : { sibling: await readSource(beside, undefined, maxSize) };
}
