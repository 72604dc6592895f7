/** `iptables-lint FILES…` */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Undecided } from '../analyzer/examine.js';
import { internalErrorLine } from '../report/internal-error.js';
import { countBySeverity, countOf, type Counts, type Failure, type FileReport, type Shard, type Totals } from '../report/report.js';
import { allUndecided } from '../report/notes.js';
import { visible } from '../report/visible.js';
import { inputFiles } from './inputs.js';
import { isFailure } from './is-failure.js';
import type { Sieve } from './known/known.js';
import { hostFilesFor } from './lint/collected.js';
import { jobsIn, type JobContext } from './lint/jobs.js';
import { failureOf, outcomes, type Outcome } from './lint/outcomes.js';
import type { Linted } from './lint/linted.js';
import { lintPlan, type LintPlan } from './lint-plan.js';
import { notAnInput } from './not-an-input.js';
import { defaultTimeout, type LintOptions } from './options.js';
import { outputsOf, ReportWriter, type Output } from './outputs.js';
import { Progress } from './progress.js';
import { siblingsAmong, type SiblingOf } from './siblings.js';
import { startStats, tellStats, timed } from './stats.js';
import { debug, isDebugging, raiseExitCode, reportTrouble, say, Trouble } from './trouble.js';
import { stdout } from './streams.js';

function tell(line: string): void {
  say(`iptables-lint: ${line}\n`);
}

/** What is said of all files, summed up while they come. */
class Tally {
  readonly #counts: Record<keyof Counts, number> = { error: 0, warning: 0, info: 0 };
  readonly failures: Failure[] = [];
  /** Said at the end: a mistake of ours is never a finding; what the engine does not confirm is left out, and told. */
  readonly omitted: string[] = [];
  readonly internalErrors: string[] = [];
  /** By what was not understood, the rules whose hosts have it. */
  readonly hostProblems = new Map<string, string[]>();
  undecided: Undecided = {};
  generated = 0;
  incomplete = 0;
  linted = 0;
  rules = 0;

  get counts(): Counts {
    return this.#counts;
  }

  add({ source, findings, undecided, generated, omitted, rules, unreadable, internalErrors, hostProblems }: Linted): void {
    for (const [severity, count] of Object.entries(countBySeverity(findings)) as [keyof Counts, number][]) this.#counts[severity] += count;
    this.linted++;
    this.rules += rules;
    this.undecided = allUndecided([this.undecided, undecided]);
    this.generated += generated;
    if (unreadable) this.incomplete++;
    if (omitted > 0) this.omitted.push(`${visible(source.path)}: ${countOf(omitted, 'more problem')} not shown; repair the first ones and run again`);
    for (const problem of hostProblems) this.hostProblems.set(problem, [...this.hostProblems.get(problem) ?? [], source.path]);
    for (const error of internalErrors) this.internalErrors.push(internalErrorLine(source.path, error, isDebugging()));
  }

  fail(error: unknown, during: string, failure: Failure | undefined): void {
    // One line each: there may be many.
    reportTrouble(error, during, { brief: true });
    if (failure === undefined) return;
    this.incomplete++;
    this.failures.push(failure);
  }
}

/** Takes out what a baseline, or an earlier commit, knows already. */
async function sieveFor({ baseline, updateBaseline, since }: LintOptions, context: JobContext): Promise<Sieve | undefined> {
  if (updateBaseline === true && baseline === undefined) throw new Trouble('--update-baseline: name the file, as in --baseline iptables-lint-baseline.json --update-baseline');
  if (baseline === undefined && since === undefined) return undefined;
  const [{ knownByBaseline, updatingSieve }, { knownSince }, { sieveOf }] = await Promise.all([import('./known/baseline.js'), import('./known/since.js'), import('./known/known.js')]);
  if (baseline !== undefined) return updateBaseline === true ? updatingSieve(baseline) : sieveOf(await knownByBaseline(baseline));
  return sieveOf(knownSince(since ?? 'HEAD', source => jobsIn(source, context)));
}

function fileReport({ source, findings, suppressed }: Linted, { quiet = false, showSuppressed = false }: LintOptions): FileReport {
  return { source, findings: quiet ? findings.filter(finding => finding.severity === 'error') : findings, ...showSuppressed ? { suppressed } : {} };
}

const namesFindings = new Set<Output['format']>(['sarif', 'gitlab']);

interface Run {
  readonly options: LintOptions;
  readonly plan: LintPlan;
  readonly outputs: readonly Output[];
  readonly files: readonly string[];
  readonly shard: Shard | undefined;
  readonly siblings: SiblingOf;
  readonly tally: Tally;
}

/** Files as they come, to the report. Returns how many findings it shows of each severity. */
async function reportAll({ options, files, tally }: Run, context: JobContext, writer: ReportWriter, sieve: Sieve | undefined): Promise<Counts> {
  const shown = { error: 0, warning: 0, info: 0 };
  const progress = new Progress();
  const take = async (outcome: Outcome): Promise<void> => {
    if (outcome.error !== undefined) {
      const { error, during, message } = failureOf(outcome);
      const failure = { path: outcome.file, message };
      tally.fail(error, during, failure);
      await writer.failure(failure);
    }
    for (const linted of outcome.linted) {
      debug(() => `${linted.source.path}: ${linted.read}`);
      const left = sieve?.left(linted, linted.known) ?? linted;
      const file = fileReport(left, options);
      tally.add(left);
      for (const { severity } of file.findings) shown[severity]++;
      await writer.file(file);
    }
  };
  let done = 0;
  const { jobs = availableParallelism(), timeout = defaultTimeout } = options;
  for await (const outcome of outcomes(files, { ...context, known: sieve?.known, jobs, timeout, begin: ({ path, text }) => { progress.update(done, files.length, path, text.length); } })) {
    if (stdout().isTTY || outcome.error !== undefined) progress.clear();
    await take(outcome);
    progress.update(++done, files.length, outcome.file);
  }
  progress.clear();
  return shown;
}

async function lintAll(run: Run): Promise<void> {
  const { options, plan, outputs, siblings, tally, shard } = run;
  const isKnownAsked = options.baseline !== undefined || options.since !== undefined;
  const extras = { decide: options.decide === true, fingerprints: isKnownAsked || outputs.some(({ format }) => namesFindings.has(format)), times: options.stats === true };
  const context = { plan, options, siblings, extras };
  const sieve = await sieveFor(options, context);
  const writer = await ReportWriter.of(outputs, options.color);
  for (const failure of tally.failures) await writer.failure(failure);
  const counts = await reportAll(run, context, writer, sieve);
  for (const line of await sieve?.end() ?? []) tell(visible(line));
  const fails = isFailure(tally.counts, plan.failOn, options.maxWarnings);
  if (fails) raiseExitCode(1);
  if (tally.incomplete > 0 || tally.internalErrors.length > 0) raiseExitCode(2);
  const isSilent = tally.linted === 0 || (options.quiet === true && counts.error === 0);
  if (isSilent && fails) tell('no errors, but warnings or infos that make it fail; run without --quiet to see them');
  // Who wants nothing but errors does not want to hear of less.
  const totals: Totals = { counts, undecided: tally.undecided, internalErrors: tally.internalErrors.length, generated: options.quiet === true ? 0 : tally.generated, incomplete: tally.incomplete, failures: tally.failures, shard };
  await timed('report', () => writer.end(totals, isSilent));
  for (const [problem, [first = '', ...others]] of tally.hostProblems) tell(visible(`left out of the host of ${first}${others.length === 0 ? '' : ` and ${countOf(others.length, 'other')}`}: ${problem}`));
  for (const line of [...tally.omitted, ...tally.internalErrors]) tell(line);
  tellStats({ files: tally.linted, rules: tally.rules, findings: tally.counts.error + tally.counts.warning + tally.counts.info, undecided: tally.undecided });
}

export async function lint(operands: readonly string[], options: LintOptions): Promise<void> {
  if (options.stats === true) startStats();
  const outputs = outputsOf(options.format);
  const plan = await lintPlan(options);
  const tally = new Tally();
  const isFirst = (options.shard?.index ?? 1) === 1;
  const ignored = new Set<string>();
  const all = await inputFiles(operands, 'iptables-lint', {
    isIgnored: path => {
      const isIgnored = plan.isIgnored(path);
      if (isIgnored) ignored.add(resolve(path));
      return isIgnored;
    },
    hosts: true,
    onTrouble: (error, path) => {
      // Every shard fails for it; the report of one of them has it.
      tally.fail(error, '', isFirst ? { path, message: error instanceof Error ? error.message : String(error) } : undefined);
    },
  });
  if (all.length === 0 && ignored.size > 0) tell(`nothing is linted: ${countOf(ignored.size, 'file')} left alone, as the configuration says under ignore`);
  const { files, shard } = options.shard === undefined ? { files: all, shard: undefined } : (await import('./shard.js')).shardOf(all, options.shard);
  for (const { format, file } of outputs) if (file !== undefined) notAnInput(`--format ${format}=${file}`, file, [...all, ...all.flatMap(hostFilesFor), ...plan.inputs]);
  const siblings = siblingsAmong(all);
  if (options.fix !== undefined || options.fixDryRun === true) {
    const { fixFiles } = await import('./fix.js');
    await fixFiles(files, options, plan, siblings);
    if (options.fixDryRun === true) return;
  }
  await lintAll({ options, plan, outputs, files, shard, siblings, tally });
}
