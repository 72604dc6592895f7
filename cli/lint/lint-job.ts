/** Lints one source, from plain data to plain data: in this thread or in another. */
import type { Check } from '../../analyzer/checks/define-check.js';
import { examine, hasWitnesses, ruleCount, withoutWitnesses, type Analysis, type AnalyzeOptions, type Examination } from '../../analyzer/examine.js';
import type { Finding } from '../../analyzer/finding.js';
import type { Ruleset } from '../../analyzer/model/ruleset.js';
import type { HostDescription } from '../../analyzer/netfilter/host/host.js';
import type { Span } from '../../grammar/source-text.js';
import { countOf } from '../../report/report.js';
import { undecidedWords } from '../../report/notes.js';
import { knownChecks } from '../check-names.js';
import { usePlugins } from '../plugins.js';
import { Stopwatch } from '../stats.js';
import type { Linted, LintExtras, LintJob, LintSettings } from './linted.js';

/** The plugins that this thread has loaded, by their paths. */
let plugged = '';

/** The checks with those of plugins, which each thread loads for itself, once. */
async function checksWith(plugins: readonly string[]): Promise<readonly Check[]> {
  const key = JSON.stringify(plugins);
  if (key !== plugged) await usePlugins(plugins);
  plugged = key;
  return knownChecks();
}

/** What plain data stands for: checks, and the host for each family. What makes them is loaded only for this. */
export async function analyzeOptions({ host, plugins, ...rest }: LintSettings): Promise<AnalyzeOptions> {
  const options: AnalyzeOptions = plugins === undefined ? rest : { ...rest, checks: await checksWith(plugins) };
  if (host === undefined) return options;
  const { setupOf } = await import('../../analyzer/netfilter/scenario/host-setup.js');
  return { ...options, host: family => setupOf(host, family) };
}

/** fast-check, and what searches with it, are loaded only where there is something to decide. */
async function decided(examination: Examination): Promise<Examination> {
  if (!examination.found.some(({ finding }) => finding.certainty === 'possible')) return examination;
  const [fc, { decidePossible }] = await Promise.all([import('fast-check'), import('../../analyzer/decide.js')]);
  return decidePossible(fc, examination);
}

/** The engine is loaded only where there is a witness for it to replay. */
async function confirmed(examination: Examination): Promise<Analysis> {
  if (!hasWitnesses(examination)) return withoutWitnesses(examination);
  return (await import('../../analyzer/analyze.js')).confirm(examination);
}

/** A word of the syntax may be the span: of that only the place is kept. */
function plain(finding: Finding): Finding {
  const { span, fix } = finding;
  return { ...finding, span: placed(span), ...fix === undefined ? {} : { fix: { ...fix, edits: fix.edits.map(edit => ({ ...edit, span: placed(edit.span) })) } } };
}

function placed({ start, end }: Span): Span {
  return { start, end };
}

/** Those that are suppressed are counted behind the others. What makes their names is loaded only for this. */
async function named({ source, findings, suppressed, loaded }: Analysis, { fingerprints }: LintExtras): Promise<{ readonly findings: readonly Finding[]; readonly suppressed: readonly Finding[] }> {
  if (!fingerprints) return { findings, suppressed };
  const { fingerprintsOf } = await import('../../report/fingerprint.js');
  const all = [...findings, ...suppressed];
  const names = fingerprintsOf({ source, rulesets: loaded.rulesets, findings: all });
  const marked = all.map((finding, index) => ({ ...finding, fingerprint: names[index] ?? '' }));
  return { findings: marked.slice(0, findings.length), suppressed: marked.slice(findings.length) };
}

function rulesIn({ loaded }: Examination): number {
  return loaded.rulesets.reduce((sum, ruleset) => sum + ruleCount(ruleset), 0);
}

function whatWasRead({ loaded, found, undecided }: Examination): string {
  const rulesets = loaded.rulesets.map(ruleset => `${ruleset.family}, ${ruleset.backend}, ${countOf(ruleCount(ruleset), 'rule')}`);
  return [loaded.format, ...rulesets, `${countOf(found.length, 'finding')}, ${undecidedWords(undecided)}`].join('; ');
}

/** What of the host no packet will meet, as it is not understood; its engine has no rules to compile for that. */
async function hostProblems(host: HostDescription | undefined, rulesets: readonly Ruleset[]): Promise<readonly string[]> {
  if (host === undefined) return [];
  const [{ createHost }, { setupOf }, { ScenarioError }] = await Promise.all([import('../../analyzer/netfilter/engine.js'), import('../../analyzer/netfilter/scenario/host-setup.js'), import('../../analyzer/netfilter/scenario/scenario-error.js')]);
  const problemsOf = (ruleset: Ruleset): readonly string[] => {
    try {
      return createHost({ ...ruleset, tables: new Map() }, setupOf(host, ruleset.family)).problems;
    } catch (error) {
      // A line of `ipset save` or `conntrack -L`; rules are linted without what it says.
      if (error instanceof ScenarioError) return [error.message];
      throw error;
    }
  };
  return [...new Set(rulesets.flatMap(problemsOf))];
}

/** Never throws on bad input. */
export async function lintJob({ source, settings, extras }: LintJob): Promise<Linted> {
  const watch = new Stopwatch();
  const examination = examine(source, { ...await analyzeOptions(settings), ...extras.times ? { measure: watch.measure } : {} });
  const analysis = await watch.timed('replay', async () => confirmed(extras.decide ? await decided(examination) : examination));
  const { undecided, generated, loaded, unreadable, internalErrors } = analysis;
  const { findings, suppressed } = await named(analysis, extras);
  return {
    source: analysis.source, findings: findings.map(plain), suppressed: suppressed.map(plain), rules: rulesIn(examination), undecided, generated, omitted: loaded.omitted, unreadable, internalErrors,
    hostProblems: await hostProblems(settings.host, loaded.rulesets), read: whatWasRead(examination), ...extras.times ? { times: watch.times } : {},
  };
}
