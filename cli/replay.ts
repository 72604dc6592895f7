/** `iptables-lint replay REPORT` */
import type { KernelWord } from '../analyzer/finding.js';
import type { Ruleset } from '../analyzer/model/ruleset.js';
import { Kernel } from '../kernel/kernel.js';
import { HelperError } from '../kernel/helper-process.js';
import { replayInKernel, type Exhibit } from '../kernel/replay.js';
import { whatIsMissing } from '../kernel/requirements.js';
import { SetUpError } from '../kernel/set-up.js';
import { printReplay, type ReplayedFile } from '../report/replay.js';
import { visibleJson } from '../report/visible.js';
import { wantsColor } from './color.js';
import { leave } from './leave.js';
import { lintPlan, type LintPlan } from './lint-plan.js';
import type { InputOptions, LintOptions } from './options.js';
import { Progress } from './progress.js';
import { lintAgain, type LintAgainOptions, type LintedAgain } from './replay/lint-again.js';
import { readReport, type JsonFinding, type JsonReport } from './replay/read-report.js';
import { print, stdout } from './streams.js';
import { raiseExitCode, Trouble } from './trouble.js';

/** Among them those of `lint` that decide on what is found. */
export interface ReplayOptions extends InputOptions, LintAgainOptions, Pick<LintOptions, 'check' | 'plugin' | 'persona' | 'host' | 'config' | 'color'> {
  readonly format: 'pretty' | 'json';
}

type JsonFile = JsonReport['files'][number];

const noWitness: KernelWord = { kernel: 'not-replayed', reason: 'it has no packets to show it' };
const changed: KernelWord = { kernel: 'not-replayed', reason: 'it is not found any more: the file changed, or it was linted with other options' };

/** What is found again with packets to show it, by rule set; the others have their word at once. */
function sorted(file: JsonFile, { find }: LintedAgain): { readonly words: Map<JsonFinding, KernelWord>; readonly exhibits: ReadonlyMap<Ruleset, ReadonlyMap<JsonFinding, Exhibit>> } {
  const words = new Map<JsonFinding, KernelWord>();
  const exhibits = new Map<Ruleset, Map<JsonFinding, Exhibit>>();
  for (const finding of file.findings) {
    const { witness, host } = finding;
    const found = witness === null ? undefined : find(finding);
    if (witness === null) words.set(finding, noWitness);
    else if (found?.ruleset === undefined || found.proposal === undefined) words.set(finding, changed);
    else {
      const ofRuleset = exhibits.get(found.ruleset) ?? new Map<JsonFinding, Exhibit>();
      exhibits.set(found.ruleset, ofRuleset.set(finding, { steps: witness, host, proposal: found.proposal }));
    }
  }
  return { words, exhibits };
}

function allAlike(file: JsonFile, reason: string): ReadonlyMap<JsonFinding, KernelWord> {
  return new Map(file.findings.map(finding => [finding, finding.witness === null ? noWitness : { kernel: 'not-replayed', reason }]));
}

/** The kernel's word on each finding of a file. */
async function wordsOn(kernel: Kernel, file: JsonFile, report: JsonReport, options: ReplayOptions, plan: LintPlan): Promise<ReadonlyMap<JsonFinding, KernelWord>> {
  if (file.findings.every(({ witness }) => witness === null)) return allAlike(file, '');
  let again: LintedAgain;
  try {
    again = await lintAgain(file, report, options, plan);
  } catch (error) {
    if (error instanceof Trouble) return allAlike(file, error.message);
    throw error;
  }
  const { words, exhibits } = sorted(file, again);
  for (const [ruleset, ofRuleset] of exhibits) {
    const answers = await replayInKernel(kernel, { ruleset, text: again.textOf(ruleset) }, [...ofRuleset.values()]);
    for (const [index, finding] of [...ofRuleset.keys()].entries()) words.set(finding, answers[index] ?? changed);
  }
  return words;
}

/** A kernel that has been seen to make a namespace and to watch it. */
async function startKernel(): Promise<Kernel> {
  const missing = whatIsMissing();
  if (missing !== undefined) throw new Trouble(`replay asks the kernel of this machine, and cannot: ${missing}`);
  const kernel = new Kernel();
  try {
    await kernel.run({ steps: [] });
    return kernel;
  } catch (error) {
    kernel.kill();
    if (error instanceof SetUpError || error instanceof HelperError) throw new Trouble(`replay cannot make a namespace on this machine: ${error.message}`);
    throw error;
  }
}

/** Namespaces go with the processes that made them, and those with this one; what is left are files, which are removed on `exit`. */
function exitOnSignals(): void {
  for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]] as const) process.once(signal, () => leave(128 + number));
}

async function replayAll(report: JsonReport, options: ReplayOptions): Promise<readonly ReplayedFile<JsonFinding>[]> {
  const { format, ...said } = options;
  const plan = await lintPlan(said);
  const progress = new Progress();
  const kernel = await startKernel();
  const files: ReplayedFile<JsonFinding>[] = [];
  try {
    for (const [index, file] of report.files.entries()) {
      progress.update(index, report.files.length, file.path);
      const words = await wordsOn(kernel, file, report, options, plan);
      files.push({ path: file.path, findings: file.findings.map(finding => ({ finding, word: words.get(finding) ?? changed })) });
    }
  } finally {
    progress.clear();
    kernel.kill();
  }
  return files;
}

/** The report again, with the kernel's word on every finding. */
function marked(report: JsonReport, files: readonly ReplayedFile<JsonFinding>[]): object {
  const words = files.flatMap(({ findings }) => findings.map(({ word }) => word.kernel));
  const count = (kernel: KernelWord['kernel']): number => words.filter(word => word === kernel).length;
  return {
    ...report,
    files: report.files.map((file, index) => ({ ...file, findings: (files[index]?.findings ?? []).map(({ finding, word }) => ({ ...finding, kernel: word.kernel, ...word.kernel === 'confirmed' ? {} : { kernelReason: word.reason } })) })),
    summary: { ...report.summary, kernel: { confirmed: count('confirmed'), contradicted: count('contradicted'), notReplayed: count('not-replayed') } },
  };
}

/** Witnesses of which not one could be replayed are a job not done. */
function raiseExitCodeFor(files: readonly ReplayedFile<JsonFinding>[]): void {
  const words = files.flatMap(({ findings }) => findings.flatMap(({ finding, word }) => finding.witness === null ? [] : word.kernel));
  if (words.includes('contradicted')) raiseExitCode(1);
  if (words.length > 0 && words.every(word => word === 'not-replayed')) raiseExitCode(2);
}

export async function replay(path: string, options: ReplayOptions): Promise<void> {
  const report = await readReport(path, options.maxSize);
  exitOnSignals();
  const files = await replayAll(report, options);
  raiseExitCodeFor(files);
  if (options.format === 'json') await print(`${visibleJson(JSON.stringify(marked(report, files), undefined, 2))}\n`);
  else await print(printReplay(files, { color: wantsColor(options.color, stdout()) }));
}
