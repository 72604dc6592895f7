/** Who decided a packet's fate, as the cause of a finding. */
import type { Because } from '../../finding.js';
import { deciderOf, type Pipeline, type Sighting } from '../../packet-space/pipeline/index.js';
import { isTableName, type Ruleset } from '../../model/ruleset.js';
import type { Decider, RuleAt } from '../../packet-space/answers.js';
import { referenceOf, type Report } from '../define-check.js';

export function isPolicy(decider: Decider): decider is Exclude<Decider, RuleAt> {
  return 'policy' in decider;
}

/** The line of a rule, of the declaration of a policy, or of the table where the policy is not declared; from 1. */
function lineOf(ruleset: Ruleset, decider: Decider): number {
  if (!isPolicy(decider)) return decider.rule.line;
  const table = isTableName(decider.table) ? ruleset.tables.get(decider.table) : undefined;
  const lines = [table?.chains.get(decider.chain)?.line, table?.line, 1];
  return lines.find(line => line !== undefined && line > 0) ?? 1;
}

/** Who decided in FORWARD of table filter, where the packet came there. */
export function forwarderOf(pipeline: Pipeline, { trip }: Sighting): Decider | undefined {
  const passing = trip.run.stages.find(({ stage }) => stage.table === 'filter' && stage.hook === 'FORWARD');
  return passing === undefined ? undefined : deciderOf(pipeline, passing);
}

/** Where a finding about who decided stands: at the rule; else at the declaration of the policy, or of the table where there is none. */
export function placeOf({ tables }: Ruleset, decider: Decider): Pick<Report, 'at' | 'chain' | 'span'> {
  if (!isPolicy(decider)) return { at: decider };
  const table = isTableName(decider.table) ? tables.get(decider.table) : undefined;
  const chain = table?.chains.get(decider.chain);
  return table === undefined || chain === undefined ? {} : { chain, span: chain.line === 0 ? table.span : chain.span };
}

/** `filter:INPUT:3`, or `filter:INPUT:policy`. */
export function deciderReference(decider: Decider): string {
  return isPolicy(decider) ? `${decider.table}:${decider.chain}:policy` : referenceOf(decider);
}

/** `message` about who decided. */
export function deciderBecause(ruleset: Ruleset, decider: Decider, message: string): Because {
  return { rule: deciderReference(decider), line: lineOf(ruleset, decider), message };
}

/** Where all of them are in other tables than filter: what to say of it, for no rule of filter can help; else undefined. `what` is lost there. */
export function helpElsewhere(what: string, deciders: readonly Decider[]): string | undefined {
  if (deciders.length === 0 || deciders.some(({ table }) => table === 'filter')) return undefined;
  return `let ${what} pass in front of ${deciders.map(deciderReference).join(', ')}; no rule of table filter can`;
}
