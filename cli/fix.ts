/** `--fix`, `--fix=unsafe`, `--fix-dry-run`. */
import { readFile } from 'node:fs/promises';
import { examine, withoutWitnesses } from '../analyzer/examine.js';
import { fixSource, type FixResult, type NotMade } from '../analyzer/fixes/fix-source.js';
import type { Finding } from '../analyzer/finding.js';
import { decodeBytes, positionAt, type SourceText } from '../grammar/source-text.js';
import { differenceLines } from '../report/difference.js';
import { internalErrorLine } from '../report/internal-error.js';
import { countOf } from '../report/report.js';
import { visible } from '../report/visible.js';
import { eachSource } from './inputs.js';
import type { Known } from './known/known.js';
import { isHostText } from './lint/collected.js';
import { jobsIn, type JobContext } from './lint/jobs.js';
import { analyzeOptions, lintJob } from './lint/lint-job.js';
import type { LintPlan } from './lint-plan.js';
import type { LintOptions } from './options.js';
import { standardInput, type ReadText } from './read-source.js';
import { replaceFile } from './replace-file.js';
import type { SiblingOf } from './siblings.js';
import { printRules } from './streams.js';
import { isDebugging, raiseExitCode, say, Trouble } from './trouble.js';

type FindingsOf = (source: SourceText) => Promise<readonly Finding[]>;

/** What is reported is repaired, and nothing else: not what a baseline or an earlier commit knows. `internalErrors`: where lines about checks that failed are put. */
async function reported(siblings: SiblingOf, options: LintOptions, plan: LintPlan, internalErrors: Set<string>): Promise<FindingsOf> {
  const { baseline, since } = options;
  const context: JobContext = { plan, options, siblings, extras: { decide: false, fingerprints: true, times: false } };
  const [{ knownByBaseline }, { knownSince }, { sieveOf }] = await Promise.all([import('./known/baseline.js'), import('./known/since.js'), import('./known/known.js')]);
  const known: Known | undefined = baseline !== undefined ? await knownByBaseline(baseline) : since === undefined ? undefined : knownSince(since, source => jobsIn(source, context));
  // Whatever is repaired, what was known before stays the same.
  const knownOf = new Map<string, Promise<ReadonlySet<string>>>();
  return async source => {
    const analysis = withoutWitnesses(examine(source, await analyzeOptions(await plan.settingsFor(source.path, siblings))));
    for (const error of analysis.internalErrors) internalErrors.add(internalErrorLine(source.path, error, isDebugging()));
    if (known === undefined) return analysis.findings;
    const { findings, loaded: { rulesets } } = analysis;
    const before = knownOf.get(source.path) ?? known.of(source, lintJob);
    knownOf.set(source.path, before);
    return sieveOf(known).left({ source, findings, rulesets }, await before).findings;
  };
}

/** In the bytes that it was read from: a file that is no UTF-8 was read as Latin-1. */
async function write({ path, text, encoding }: ReadText, fixed: string): Promise<void> {
  if (decodeBytes(await readFile(path)) !== text) throw new Trouble(`${path} is not repaired: it was changed in the meantime`);
  await replaceFile(path, Buffer.from(fixed, encoding));
}

async function patchOf({ path, text }: SourceText, fixed: string): Promise<string> {
  const { createTwoFilesPatch } = await import('diff');
  const patch = createTwoFilesPatch(path, path, text, fixed, undefined, undefined, { context: 3 }).replace(/^Index: .*\n=+\n/u, '');
  // A tab ends a name with blanks, as git writes it: patch would end it at the first blank.
  return patch.replace(/^--- ([^"].* .*)\n\+\+\+ \1\n/u, '--- $1\t\n+++ $1\t\n');
}

/** The names above are the system's, in UTF-8 whatever the file is in. */
async function printPatch({ encoding }: ReadText, patch: string): Promise<void> {
  const names = patch.indexOf('\n@@');
  await printRules(patch.slice(0, names), 'utf8');
  await printRules(patch.slice(names), encoding);
}

function tell(line: string): void {
  say(`iptables-lint: ${visible(line)}\n`);
}

function tellNotMade({ path, text }: SourceText, { finding: { check, span, fix }, why }: NotMade): void {
  tell(`${path}:${String(positionAt({ path, text }, span.start).line)}: not made: ${fix?.description ?? ''} (${check}): ${why}`);
}

/** Every fix, what an unsafe one changes, and what was offered and not made. */
function tellResult({ path }: SourceText, { text, made, notMade, objection }: FixResult): void {
  if (objection !== undefined) tell(`${path}: not repaired: ${objection}`);
  for (const { finding: { check, severity, message }, description, safety, line, differences } of made) {
    tell(`${path}: ${description} (${check}${safety === 'unsafe' ? ', unsafe' : ''})${line === '' ? '' : `: ${line}`}`);
    // Somebody meant something else by it.
    if (severity === 'error') tell(`  ${message}`);
    if (safety === 'unsafe') for (const difference of differences) for (const said of differenceLines(difference)) tell(`  ${said}`);
  }
  for (const one of notMade) tellNotMade({ path, text }, one);
}

/**
 * Repairs the files, and tells on standard error what was done. For a dry run nothing is written, and the patch goes to standard output; the exit code is 1
 * then where there is one. What cannot be read or written is reported, and the other files are repaired all the same.
 */
export async function fixFiles(files: readonly string[], options: LintOptions, plan: LintPlan, siblings: SiblingOf): Promise<void> {
  const isDry = options.fixDryRun === true;
  if (!isDry && files.includes(standardInput)) throw new Trouble('cannot repair standard input in place; --fix-dry-run prints a patch');
  const internalErrors = new Set<string>();
  const findingsOf = await reported(siblings, options, plan, internalErrors);
  let count = 0;
  await eachSource(files, options, async source => {
    if (isHostText(source.text)) {
      tell(`${source.path}: not repaired: it says what a host was when it was collected`);
      return;
    }
    const result = await fixSource(source, { unsafe: options.fix === 'unsafe', load: await analyzeOptions(await plan.settingsFor(source.path, siblings)), findingsOf });
    if (result.text !== source.text) {
      if (isDry) await printPatch(source, await patchOf(source, result.text));
      else await write(source, result.text);
    }
    count += result.made.length;
    tellResult(source, result);
  });
  if (isDry && count > 0) raiseExitCode(1);
  // Without a dry run, the findings that are left follow, and these with them.
  if (isDry && internalErrors.size > 0) raiseExitCode(2);
  if (isDry) for (const line of internalErrors) say(`iptables-lint: ${line}\n`);
  tell(`${countOf(count, 'repair')}${isDry ? ' would be' : ''} made`);
}
