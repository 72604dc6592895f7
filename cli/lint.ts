/** `iptables-lint FILES…` */
import { examine, hasWitnesses, ruleCount, withoutWitnesses, type Analysis, type Examination } from '../analyzer/examine.js';
import type { FormatName } from '../report/formats.js';
import { internalErrorLine } from '../report/internal-error.js';
import { countBySeverity, countOf, type Counts, type FileReport, type Report } from '../report/report.js';
import { visible } from '../report/visible.js';
import { pluginChecks } from './check-names.js';
import { eachSource, inputFiles } from './inputs.js';
import { lintPlan, type LintPlan } from './lint-plan.js';
import type { LintOptions } from './options.js';
import { outputsOf, write, type Output } from './outputs.js';
import { Progress } from './progress.js';
import { measureOfChecks, startStats, tellStats, timed } from './stats.js';
import { debug, isDebugging, raiseExitCode, Trouble } from './trouble.js';
import { version } from './version.js';
import type { FailLevel } from './words.js';

async function analyzeAll(files: readonly string[], options: LintOptions, plan: LintPlan): Promise<readonly Analysis[]> {
  const progress = new Progress();
  const examinations: Examination[] = [];
  await eachSource(files, options, async (source, index) => {
    progress.update(index + 1, files.length, source.path, source.text.length);
    try {
      const examination = examine(source, { ...await plan.optionsFor(source, files), measure: measureOfChecks() });
      debug(() => whatWasRead(examination));
      examinations.push(examination);
    } finally {
      progress.clear();
    }
  });
  return timed('replay', async () => confirmAll(options.decide === true ? await decideAll(examinations) : examinations));
}

/** `rules.v4: save; ipv4, nft, 12 rules; 3 findings, 0 questions undecided` */
function whatWasRead({ source, loaded, found, undecided }: Examination): string {
  const rulesets = loaded.rulesets.map(ruleset => `${ruleset.family}, ${ruleset.backend}, ${countOf(ruleCount(ruleset), 'rule')}`);
  return `${source.path}: ${[loaded.format, ...rulesets, `${countOf(found.length, 'finding')}, ${countOf(undecided, 'question')} undecided`].join('; ')}`;
}

/** fast-check, and what searches with it, are loaded only where there is something to decide. */
async function decideAll(examinations: readonly Examination[]): Promise<readonly Examination[]> {
  if (!examinations.some(one => one.found.some(({ finding }) => finding.certainty === 'possible'))) return examinations;
  const [fc, { decidePossible }] = await Promise.all([import('fast-check'), import('../analyzer/decide.js')]);
  return examinations.map(one => decidePossible(fc, one));
}

/** The engine is loaded only where there is a witness for it to replay. */
async function confirmAll(examinations: readonly Examination[]): Promise<readonly Analysis[]> {
  if (!examinations.some(hasWitnesses)) return examinations.map(withoutWitnesses);
  const { confirm } = await import('../analyzer/analyze.js');
  return examinations.map(confirm);
}

/** Whether what was found is enough to fail. `--max-warnings` says how many warnings are not. */
function isFailure(counts: Counts, failOn: FailLevel, { maxWarnings }: LintOptions): boolean {
  if (failOn === 'never') return false;
  const tooManyWarnings = maxWarnings === undefined ? failOn !== 'error' && counts.warning > 0 : counts.warning > maxWarnings;
  return counts.error > 0 || tooManyWarnings || (failOn === 'info' && counts.info > 0);
}

function tellOmitted(analyses: readonly Analysis[]): void {
  for (const { source, loaded } of analyses) {
    if (loaded.omitted > 0) process.stderr.write(`iptables-lint: ${visible(source.path)}: ${countOf(loaded.omitted, 'more problem')} not shown; repair the first ones and run again\n`);
  }
}

/** A mistake of ours is never a finding: what the engine does not confirm is left out, and told here. */
function tellInternalErrors(analyses: readonly Analysis[]): void {
  for (const { source, internalErrors } of analyses) {
    for (const error of internalErrors) process.stderr.write(`iptables-lint: ${internalErrorLine(source.path, error, isDebugging())}\n`);
  }
}

function reportOf(analyses: readonly Analysis[], { quiet = false, showSuppressed = false }: LintOptions): Report {
  const files = analyses.map(({ source, findings, suppressed, loaded }): FileReport => ({
    source, rulesets: loaded.rulesets, findings: quiet ? findings.filter(finding => finding.severity === 'error') : findings, ...showSuppressed ? { suppressed } : {},
  }));
  const total = (count: (analysis: Analysis) => number): number => analyses.reduce((sum, analysis) => sum + count(analysis), 0);
  return {
    files, version, pluginChecks: pluginChecks(),
    undecided: total(one => one.undecided), internalErrors: total(one => one.internalErrors.length),
    // Who wants nothing but errors does not want to hear of less.
    generated: quiet ? 0 : total(one => one.generated),
    tell: message => process.stderr.write(`iptables-lint: ${visible(message)}\n`),
  };
}

/** Formats that a person reads are silent where there is nothing to say and nobody wants to hear it. */
const forPeople = new Set<FormatName>(['pretty', 'full', 'compact']);

async function writeReport(analyses: readonly Analysis[], options: LintOptions, outputs: readonly Output[], fails: boolean): Promise<void> {
  const report = reportOf(analyses, options);
  const isEmpty = report.files.every(file => file.findings.length === 0);
  const isSilent = analyses.length === 0 || (options.quiet === true && isEmpty);
  if (isSilent && fails) process.stderr.write('iptables-lint: no errors, but warnings or infos that make it fail; run without --quiet to see them\n');
  for (const output of outputs) if (!isSilent || output.file !== undefined || !forPeople.has(output.format)) await write(report, output, options.color);
}

/** Without what a baseline, or an earlier commit, knows already. */
async function leftOf(analyses: readonly Analysis[], files: readonly string[], { baseline, updateBaseline, since }: LintOptions, plan: LintPlan): Promise<readonly Analysis[]> {
  if (updateBaseline === true && baseline === undefined) throw new Trouble('--update-baseline: name the file, as in --baseline iptables-lint-baseline.json --update-baseline');
  if (baseline === undefined && since === undefined) return analyses;
  const [{ knownByBaseline, updateBaseline: writeBaseline }, { knownSince }, { withoutKnown }] = await Promise.all([import('./known/baseline.js'), import('./known/since.js'), import('./known/known.js')]);
  if (baseline !== undefined && updateBaseline === true) process.stderr.write(`iptables-lint: ${visible(await writeBaseline(baseline, analyses))}\n`);
  const known = baseline !== undefined ? await knownByBaseline(baseline) : knownSince(since ?? 'HEAD', source => plan.optionsFor(source, files));
  const { analyses: left, told } = await withoutKnown(analyses, known);
  for (const line of told) process.stderr.write(`iptables-lint: ${visible(line)}\n`);
  return left;
}

function tellAmounts(analyses: readonly Analysis[]): void {
  const total = (count: (analysis: Analysis) => number): number => analyses.reduce((sum, analysis) => sum + count(analysis), 0);
  tellStats({
    files: analyses.length, findings: total(one => one.findings.length), undecided: total(one => one.undecided),
    rules: total(({ loaded }) => loaded.rulesets.reduce((sum, ruleset) => sum + ruleCount(ruleset), 0)),
  });
}

export async function lint(operands: readonly string[], options: LintOptions): Promise<void> {
  if (options.stats === true) startStats();
  const outputs = outputsOf(options.format);
  const plan = await lintPlan(options);
  const files = await inputFiles(operands, 'iptables-lint', plan.isIgnored);
  if (options.fix !== undefined || options.fixDryRun === true) {
    const { fixFiles } = await import('./fix.js');
    await fixFiles(files, options, plan);
    if (options.fixDryRun === true) return;
  }
  const analyses = await leftOf(await analyzeAll(files, options, plan), files, options, plan);
  const fails = isFailure(countBySeverity(analyses.flatMap(analysis => analysis.findings)), plan.failOn, options);
  if (fails) raiseExitCode(1);
  if (analyses.some(analysis => analysis.unreadable || analysis.internalErrors.length > 0)) raiseExitCode(2);
  await timed('report', () => writeReport(analyses, options, outputs, fails));
  tellOmitted(analyses);
  tellInternalErrors(analyses);
  tellAmounts(analyses);
}
