/** From the name of a file to what is to be linted of it. */
import { existsSync } from 'node:fs';
import type { SourceText } from '../../grammar/source-text.js';
import type { LintPlan } from '../lint-plan.js';
import type { LintOptions } from '../options.js';
import { readSource } from '../read-source.js';
import type { SiblingOf } from '../siblings.js';
import { isHostFile, isHostText, rulesOf } from './collected.js';
import { timed } from '../stats.js';
import type { LintExtras, LintJob } from './linted.js';

export interface JobContext {
  readonly plan: LintPlan;
  readonly options: Pick<LintOptions, 'stdinFilename' | 'maxSize'>;
  readonly siblings: SiblingOf;
  readonly extras: LintExtras;
}

/** The file that rules are of: itself, or the host whose rule set it is (`web1.host.json#ipv4-nft`). */
export function fileOfRules(path: string): string {
  return existsSync(path) ? path : /^(.+)#ipv[46]-(?:nft|legacy)$/u.exec(path)?.[1] ?? path;
}

/**
 * A rule file is one job; a host as `collect` wrote it is one for each of its rule sets. A host that is named goes before what the file says.
 * @throws {Trouble} where the file, or what belongs to it, cannot be read
 */
export async function jobsOf(file: string, context: JobContext): Promise<readonly LintJob[]> {
  const { stdinFilename, maxSize } = context.options;
  return jobsIn(await timed('read', () => readSource(file, stdinFilename, maxSize)), context);
}

/** The same of a file that is read. */
export async function jobsIn(source: SourceText, { plan, siblings, extras }: JobContext): Promise<readonly LintJob[]> {
  const settings = await plan.settingsFor(source.path, siblings);
  if (!isHostText(source.text) && !isHostFile(source.path)) return [{ source, settings, extras }];
  const { hostIn } = await import('../trace/read-inputs.js');
  return rulesOf(source.path, hostIn(source)).map(({ source: rules, settings: own }) => ({ source: rules, settings: { ...settings, ...own, host: settings.host ?? own.host }, extras }));
}
