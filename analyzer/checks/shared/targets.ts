/** What a rule's target does, for checks. */
import type { Effect } from '../../extensions/define.js';
import { meaningOf, saveUse } from '../../extensions/use.js';
import { asksFor, type Constraint } from '../../packet/constraint.js';
import { isOpaque, type Rule, type Ruleset, type Table } from '../../model/ruleset.js';
import type { RuleAt } from '../../packet-space/answers.js';

/** The effect of a rule's target; undefined for a jump, a goto and a rule without target. */
export function effectOf(rule: Rule): Effect | undefined {
  const { target } = rule;
  if (target.kind === 'opaque') return 'unknown';
  if (target.kind !== 'extension') return undefined;
  const { effect } = target.use.definition;
  return typeof effect === 'function' ? effect(target.use.given) : effect;
}

const final = new Set<Effect>(['accept', 'drop', 'reject', 'queue', 'nat']);

/** True where no packet that matches comes to the next rule. */
export function isFinal(rule: Rule): boolean {
  const effect = effectOf(rule);
  return effect !== undefined && final.has(effect);
}

/** True where a rule lets nothing pass that matches it, whether the sender is told or not. */
export function refuses(rule: Rule): boolean {
  const effect = effectOf(rule);
  return effect === 'drop' || effect === 'reject';
}

const mayLose = new Set<Effect>(['drop', 'reject', 'queue', 'unknown']);

/** Whether any packet can be lost in a table. */
export function mayDrop(table: Table): boolean {
  return [...table.chains.values()].some(({ policy, rules }) => policy === 'DROP' || rules.some(rule => mayLose.has(effectOf(rule) ?? 'continue')));
}

/** `-j DROP`, `-g web`, as a person would say it. */
export function targetText(ruleset: Ruleset, at: RuleAt): string {
  const { target } = at.rule;
  switch (target.kind) {
    case 'none': return 'no target';
    case 'chain': return `${target.goto ? '-g' : '-j'} ${target.name}`;
    case 'opaque': return `-j ${target.use.opaque}`;
    case 'extension': {
      const words = saveUse(target.use, { family: ruleset.family, backend: ruleset.backend, protocol: undefined, table: at.table, ordered: [] }) ?? '';
      return `-j ${target.use.definition.savedAs ?? target.use.definition.name}${words === '' ? '' : ` ${words}`}`;
    }
  }
}

/** Whether some of it may hold or not. */
export function hasUnknown(constraint: Constraint): boolean {
  return asksFor(constraint, ({ kind }) => kind === 'unknown');
}

/** True where a packet matches the rule or not whatever came before it: no limit, no counter, no clock, no unknown name. */
export function isStateless(ruleset: Ruleset, rule: Rule): boolean {
  const protocol = rule.protocol;
  const cx = {
    family: ruleset.family, backend: ruleset.backend, table: '', ordered: [],
    protocol: protocol === undefined || typeof protocol.value !== 'number' ? undefined : { number: protocol.value, negated: protocol.negated },
  };
  return rule.matches.every(use => !isOpaque(use) && !hasUnknown(meaningOf(use, cx)));
}
