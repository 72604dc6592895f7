/** From a source text to findings whose witnesses nobody has confirmed: load, run the checks, collect. */
import type { SourceText } from '../grammar/source-text.js';
import { contextOf } from './check-context.js';
import { exampleOf, isMutedInGenerated, toFinding, type Check, type Example, type Report } from './checks/define-check.js';
import { checks as allChecks } from './checks/index.js';
import type { Finding } from './finding.js';
import type { Diagnostic, Severity } from './model/diagnostic.js';
import { loadChecks, type LoadCheckName } from './model/load-checks.js';
import { withIpSets } from './model/with-ip-sets.js';
import { load, type Loaded, type LoadOptions } from './model/load.js';
import type { Ruleset } from './model/ruleset.js';
import type { Family } from './values/value.js';
import type { Settings } from './checks/settings.js';
import type { HostSetup } from './netfilter/engine.js';
import { suppressing } from './suppress/suppress.js';
import type { Proposal } from './witness/proposal.js';

export interface AnalyzeOptions extends LoadOptions {
  /** By check name. What is absent has the severity that the check gives. */
  readonly severities?: Readonly<Record<string, Severity | 'off'>>;
  /** Absent: all. */
  readonly checks?: readonly Check[];
  /** `auditor`: what is open to whom matters more than usual. */
  readonly persona?: Persona;
  /** What the user says about the host; what is absent has its default. */
  readonly settings?: Partial<Settings>;
  /** The host of the rules, by family. */
  readonly host?: (family: Family) => HostSetup | undefined;
  /** What is in the sets that rules name, as `ipset save` prints it. Absent: what the host says. */
  readonly ipsets?: string;
  /** The file with the rules of the same host for the other family. */
  readonly sibling?: SourceText;
  /** Findings about how rules are written are shown for generated chains as well. */
  readonly showGenerated?: boolean | undefined;
  /** `false`: notes that suppress findings count for nothing. */
  readonly suppressions?: boolean | undefined;
  /** `false`: a note that suppresses findings needs no reason. */
  readonly requireReason?: boolean | undefined;
  /** `2026-11-21`: the day for notes that count until some day. Absent: today. */
  readonly today?: string | undefined;
  /** Is handed each piece of work with its name (`load`, or that of a check), to carry it out and to see how long it takes. */
  readonly measure?: Measure | undefined;
}

/** Carries out some work, and returns what it does. */
export type Measure = <T>(what: string, work: () => T) => T;

/** Who reads the findings: whoever runs the host, or who is to judge it. */
export type Persona = 'operator' | 'auditor';

/** A finding, its witness still to be confirmed. */
export interface Found {
  readonly finding: Finding;
  readonly ruleset: Ruleset | undefined;
  readonly proposal: Proposal | undefined;
  /** About how rules are written that a program wrote. */
  readonly isGenerated: boolean;
}

/** Questions that the budget left open: how many, by the check that asked first. */
export type Undecided = Readonly<Record<string, number>>;

export interface Examination {
  readonly source: SourceText;
  /** What loading found and what the checks found, by their place in the file. */
  readonly found: readonly Found[];
  readonly loaded: Loaded;
  readonly undecided: Undecided;
  /** Findings about how generated rules are written that are not among `found`. */
  readonly generated: number;
  /** Some part of the file could not be read, so the findings are not all there is. */
  readonly unreadable: boolean;
  /** Checks of a plugin that threw. */
  readonly failures: readonly InternalError[];
}

/** A mistake in a check: the engine says otherwise than it does, or it threw. */
export interface InternalError {
  readonly check: string;
  /** The rule that the finding was about. */
  readonly rule: string | null;
  /** What the engine says, and of which packets; or the stack of what was thrown. */
  readonly detail: string;
  /** The finding is not reported: it would be wrong. Else only its packets are left out. */
  readonly isWithdrawn: boolean;
  /** The check threw, and none of its findings about the file is reported. */
  readonly hasThrown?: true;
}

export interface Analysis extends Omit<Examination, 'found' | 'failures'> {
  /** What loading found and what the checks found, by their place in the file. Their witnesses are confirmed by the engine. */
  readonly findings: readonly Finding[];
  /** What would be among them, but for notes in the file that say that it is meant. */
  readonly suppressed: readonly Finding[];
  readonly internalErrors: readonly InternalError[];
}

/** Findings of loading that mean: this could not be read, so that it is missing from the analysis. The others are read, and refused. */
const unreadableChecks = new Set<LoadCheckName>(['syntax-error', 'unknown-option', 'invalid-value', 'invalid-options', 'too-many-ports', 'rule-outside-table', 'missing-commit', 'unknown-table']);

/** Not an error, but a command of a script that is missing from what its rule sets say. */
export function isSkippedLine({ check }: { readonly check: string }): boolean {
  return check === ('skipped-line' satisfies LoadCheckName);
}

/** A rule that was read has its name, whatever is wrong with it. */
function isUnread(diagnostic: Diagnostic): boolean {
  const { severity, check, rule } = diagnostic;
  return isSkippedLine(diagnostic) || (severity === 'error' && rule === undefined && unreadableChecks.has(check));
}

/** In larger rule sets no packets are sought for what is proved without them, and not for more findings than these. */
const illustrated = { rules: 500, findings: 200 };

function fromDiagnostic(diagnostic: Diagnostic): Found {
  const { check, severity, message, span, rule, help } = diagnostic;
  const finding: Finding = { check, severity, certainty: 'certain', message, span, rule: rule ?? null, because: [], witness: null, help: help ?? '' };
  return { finding, ruleset: undefined, proposal: undefined, isGenerated: false };
}

/** Rules of all chains. */
export function ruleCount({ tables }: Ruleset): number {
  let count = 0;
  for (const table of tables.values()) for (const chain of table.chains.values()) count += chain.rules.length;
  return count;
}

/** Makes proposals of what the checks report about one rule set. */
function proposer(ruleset: Ruleset): (report: Report) => Proposal | undefined {
  let left = ruleCount(ruleset) > illustrated.rules ? 0 : illustrated.findings;
  return ({ witness, shows = [], illustrate, certainty = 'certain' }) => {
    if (witness !== undefined) return { steps: witness, shows, certainty };
    if (illustrate === undefined || left-- <= 0) return undefined;
    const made = illustrate();
    return made === undefined ? undefined : { ...made, certainty };
  };
}

const rank: Readonly<Record<Severity, number>> = { info: 0, warning: 1, error: 2 };

/** The level that the user, or the persona, wants a check's findings to have. */
function severityOf({ finding: { check: name, severity } }: Found, { severities, persona, checks = allChecks }: AnalyzeOptions): Severity | 'off' {
  const wanted = severities?.[name];
  if (wanted !== undefined) return wanted;
  const { auditor } = persona === 'auditor' ? checks.find(check => check.name === name) ?? {} : {};
  return auditor !== undefined && rank[auditor] > rank[severity] ? auditor : severity;
}

function withSeverity(found: Found, options: AnalyzeOptions): readonly Found[] {
  const severity = severityOf(found, options);
  return severity === 'off' ? [] : [{ ...found, finding: { ...found.finding, severity } }];
}

/** Whether a check is to be run. One that is off by itself is, where somebody gave it a level, or for the auditor whom it is for. */
function isWanted({ name, isOff, auditor }: Check, { severities, persona }: AnalyzeOptions): boolean {
  const wanted = severities?.[name];
  return wanted === undefined ? isOff !== true || (persona === 'auditor' && auditor !== undefined) : wanted !== 'off';
}

/** By place, then by name: the same input gives the same output in the same order. */
function byPlace({ finding: a }: Found, { finding: b }: Found): number {
  return a.span.start - b.span.start || a.span.end - b.span.end || (a.check < b.check ? -1 : a.check > b.check ? 1 : 0);
}

/** A line that is read for both families may yield the same finding twice. */
function withoutRepeats(found: readonly Found[]): readonly Found[] {
  const seen = new Set<string>();
  return found.filter(({ finding: { check, span, message } }) => {
    const key = `${check} ${String(span.start)} ${String(span.end)} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** What loading says is left out where a check says more of the same words. */
function withoutReplaced(found: readonly Found[], checks: readonly Check[]): readonly Found[] {
  const replaced = new Map(checks.flatMap(({ name, replaces }) => replaces === undefined ? [] : [[name, replaces] as const]));
  const spans = found.flatMap(({ finding: { check, span } }) => replaced.has(check) ? [{ check: replaced.get(check), span }] : []);
  return spans.length === 0 ? found : found.filter(({ finding: { check, span } }) => !spans.some(one => one.check === check && one.span.start <= span.start && span.end <= one.span.end));
}

/** The rules of the same host for the other family: in the same file, or in the one beside it. */
function siblingOf(ruleset: Ruleset, loaded: Loaded, { sibling, ...options }: AnalyzeOptions): () => Ruleset | undefined {
  let answer: { readonly ruleset: Ruleset | undefined } | undefined;
  const find = (): Ruleset | undefined => {
    const here = loaded.rulesets.find(({ family }) => family !== ruleset.family);
    return here ?? (sibling === undefined ? undefined : load(sibling, { ...options, family: undefined }).rulesets.find(({ family }) => family !== ruleset.family));
  };
  return () => (answer ??= { ruleset: find() }).ruleset;
}

/** What notes in the file say of the findings; and what is to be said of the notes. */
function suppressed(found: readonly Found[], { source, rulesets }: Loaded, options: AnalyzeOptions): readonly Found[] {
  if (options.suppressions === false) return found;
  const { checks = allChecks, severities, today = new Date().toISOString().slice(0, 10), requireReason = true } = options;
  const asked = new Set([...checks.filter(check => isWanted(check, options)).map(({ name }) => name), ...Object.keys(loadChecks)]);
  const { by, complaints } = suppressing(source, rulesets, {
    today, isReasonRequired: requireReason, names: [...new Set([...allChecks, ...checks].map(({ name }) => name)), ...Object.keys(loadChecks)],
    wasAsked: check => asked.has(check) && severities?.[check] !== 'off',
  });
  const marked = found.map((one): Found => {
    const note = by(one.finding.check, one.finding.span.start);
    return note === undefined ? one : { ...one, proposal: undefined, finding: { ...one.finding, suppressed: note } };
  });
  return [...marked, ...complaints().map(({ check, message, span, help, fix }): Found => {
    const plain = fromDiagnostic({ check, severity: loadChecks[check].severity, message, span, line: 0, help });
    return fix === undefined ? plain : { ...plain, finding: { ...plain.finding, fix } };
  })];
}

/** A check of ours that throws is a bug that nobody is to miss. One of a plugin costs its own findings, and no others. */
function failureOf(check: Check, error: unknown): InternalError {
  if (allChecks.includes(check)) throw error;
  const detail = error instanceof Error ? error.stack ?? error.message : String(error);
  return { check: check.name, rule: null, detail, isWithdrawn: true, hasThrown: true };
}

/** Loads one source and runs the checks on it. Never throws on bad input. */
export function examine(source: SourceText, options: AnalyzeOptions = {}): Examination {
  const { measure = (_, work) => work() } = options;
  const loaded = measure('load', () => load(source, options));
  const found: Found[] = loaded.diagnostics.map(fromDiagnostic);
  const checks = (options.checks ?? allChecks).filter(check => isWanted(check, options));
  const failures: InternalError[] = [];
  const undecided: Record<string, number> = {};
  let asking = '';
  for (const read of loaded.rulesets) {
    const ipsets = options.ipsets ?? options.host?.(read.family)?.ipsets;
    const ruleset = ipsets === undefined ? read : withIpSets(read, ipsets);
    const cx = contextOf(ruleset, { ...options, checks, sibling: siblingOf(read, loaded, options), count: by => { if (by > 0) undecided[asking] = (undecided[asking] ?? 0) + by; } });
    const propose = proposer(ruleset);
    for (const check of checks) {
      const before = found.length;
      asking = check.name;
      try {
        measure(check.name, () => {
          for (const report of check.run(cx)) {
            // Of what could not be read loading has told.
            if (report.at?.rule.isUnread === true) continue;
            const finding = toFinding(check, report, ruleset);
            const isGenerated = finding.owner !== undefined && isMutedInGenerated(check, report);
            found.push({ finding, ruleset, isGenerated, proposal: isGenerated && options.showGenerated !== true ? undefined : propose(report) });
          }
        });
      } catch (error) {
        failures.push(failureOf(check, error));
        found.length = before;
      }
    }
  }
  const all = suppressed(withoutReplaced(withoutRepeats(found), checks), loaded, options).flatMap(one => withSeverity(one, options)).sort(byPlace);
  const shown = options.showGenerated === true ? all : all.filter(one => !one.isGenerated);
  return {
    source: loaded.source, loaded, undecided, failures, found: shown, generated: all.length - shown.length,
    unreadable: loaded.diagnostics.some(isUnread),
  };
}

/** A check's example, as the analysis takes it. */
export function inputOfExample(example: string | Example, options: AnalyzeOptions = {}): readonly [SourceText, AnalyzeOptions] {
  const { rules, settings = {}, host, sibling } = exampleOf(example);
  return [{ path: 'example.rules', text: rules }, {
    ...options, settings,
    ...host === undefined ? {} : { host: () => host }, ...sibling === undefined ? {} : { sibling: { path: 'sibling.rules', text: sibling } },
  }];
}

/** Those that are suppressed, and the others. */
export function setApart(findings: readonly Finding[]): Pick<Analysis, 'findings' | 'suppressed'> {
  return { findings: findings.filter(one => one.suppressed === undefined), suppressed: findings.filter(one => one.suppressed !== undefined) };
}

/** Whether there are witnesses for the engine to confirm. */
export function hasWitnesses({ found }: Examination): boolean {
  return found.some(({ proposal }) => proposal !== undefined);
}

/** The analysis of a source whose findings have no witnesses. */
export function withoutWitnesses({ found, failures, ...examination }: Examination): Analysis {
  return { ...examination, ...setApart(found.map(({ finding }) => finding)), internalErrors: failures };
}

/** `analyze` without the engine, for those who do not ask for packets: it need not be loaded. */
export function analyzeWithoutWitnesses(source: SourceText, options: AnalyzeOptions = {}): Analysis {
  return withoutWitnesses(examine(source, options));
}
