/**
 * The library: text in, findings out.
 *
 * ```ts
 * import { analyze } from 'iptables-lint';
 * const { findings } = analyze({ path: 'rules.v4', text });
 * ```
 */
export { analyze, type Analysis, type AnalyzeOptions } from './analyzer/analyze.js';
export type { Check } from './analyzer/checks/define-check.js';
export { checks } from './analyzer/checks/index.js';
export type { Because, Certainty, Finding, Fix, WitnessStep } from './analyzer/finding.js';
export type { Diagnostic, Severity } from './analyzer/model/diagnostic.js';
export { loadChecks, type LoadCheckName } from './analyzer/model/load-checks.js';
export { load, type Loaded, type LoadOptions } from './analyzer/model/load.js';
export { printRuleset, type PrintOptions } from './analyzer/model/print.js';
export type { Chain, Rule, Ruleset, Table } from './analyzer/model/ruleset.js';
export { decodeBytes, positionAt, type Position, type SourceText, type Span } from './grammar/source-text.js';
