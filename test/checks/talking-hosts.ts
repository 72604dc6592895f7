/** Hosts whose checks of conversations are asked for: what they let in, what is found, and what a witness shows. */
import { analyze } from '../../analyzer/analyze.js';
import type { AnalyzeOptions } from '../../analyzer/examine.js';
import { load } from '../../analyzer/model/load.js';
import { traced } from '../witness/as-trace.js';

export const known = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
export const lo = '-A INPUT -i lo -j ACCEPT';

export function host(...rules: readonly string[]): string {
  return ['*filter', ':INPUT DROP [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n');
}

export function found(check: string, text: string, options: AnalyzeOptions = {}): string[] {
  const { findings, internalErrors } = analyze({ path: 'talk.rules', text }, options);
  if (internalErrors.length > 0) throw new Error(JSON.stringify(internalErrors));
  return findings.filter(one => one.check === check).map(({ severity, rule }) => `${severity} ${rule ?? ''}`.trim());
}

/** The states of a witness's packets where table filter is first asked, and the rules that they match. */
export function shown(check: string, text: string, at = 0): readonly string[] | undefined {
  const { findings, internalErrors } = analyze({ path: 'talk.rules', text });
  const finding = findings.filter(one => one.check === check)[at];
  const [ruleset] = load({ path: 'talk.rules', text }).rulesets;
  if (internalErrors.length > 0 || ruleset === undefined || finding?.witness == null) return undefined;
  return traced(ruleset, finding).map(({ path, trail }) => `${String(trail.flatMap(one => one.kind === 'stage' && one.table === 'filter' ? [one.state] : [])[0])} ${path.filter(one => one.startsWith('filter:')).join(' ')}`);
}
