/** What findings say for certain, so that conversations can be held against it. */
import { checks } from './checks/index.js';
import { examine, type AnalyzeOptions, type Found } from './examine.js';
import type { Claim } from './fuzz/claim.js';
import type { SourceText } from '../grammar/source-text.js';
import type { Family } from './values/value.js';

/** What a check's findings claim; of some checks each holds of one packet only, and is no such claim. */
function claimOf({ finding: { check, rule, certainty, severity }, proposal }: Found): readonly Claim[] {
  if (rule === null || certainty !== 'certain') return [];
  if (dying.has(check)) return [{ check, rule, kind: 'never-matched' }];
  if (check === 'redundant-rule') return [{ check, rule, kind: 'needless' }];
  if (proposal === undefined) return [];
  if (check === 'exposed-service') return [{ check, rule, kind: 'open', proposal }];
  // As a warning it is about some replies.
  const protocol = proposal.steps[0]?.packet['proto'];
  return check === 'missing-established-return' && severity === 'error' && protocol !== undefined ? [{ check, rule, kind: 'unanswered', protocol: String(protocol) }] : [];
}

const dying: ReadonlySet<string> = new Set(checks.filter(one => one.claimsDead === true).map(({ name }) => name));
const claiming = checks.filter(({ name }) => dying.has(name) || ['redundant-rule', 'missing-established-return', 'exposed-service'].includes(name));

/** The claims that findings about a file make, by family. What the options say about the host is taken into account. */
export function claimsOf(source: SourceText, options: Omit<AnalyzeOptions, 'checks'>): (family: Family) => readonly Claim[] {
  const { found } = examine(source, { ...options, checks: claiming, suppressions: false, showGenerated: true });
  return family => found.filter(({ ruleset }) => ruleset?.family === family).flatMap(claimOf);
}
