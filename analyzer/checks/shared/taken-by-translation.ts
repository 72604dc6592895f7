import type { RuleAt } from '../../packet-space/answers.js';
import type { CheckContext } from '../define-check.js';
import { duplicatesIn } from '../duplicate-rule.js';
import { callThatTakes } from './shadows.js';
import { effectOf, isFinal } from './targets.js';

/** A rule of table nat that never applies, since earlier ones have translated all that it is for. */
export interface Taken {
  readonly at: RuleAt;
  /** Those that take its packets, and what leads to them. */
  readonly by: readonly RuleAt[];
}

/** Whether these take packets by translating them, and not by an exception alone. */
export function areTranslating(at: RuleAt, by: readonly RuleAt[]): boolean {
  return at.table === 'nat' && effectOf(at.rule) === 'nat' && by.some(one => isFinal(one.rule)) && by.filter(one => isFinal(one.rule)).every(one => effectOf(one.rule) === 'nat');
}

/** Translations that no packet comes to because of others. Duplicates are told of as such. */
export function* takenByTranslation({ ruleset, reach, rules }: CheckContext): Generator<Taken, void> {
  const nat = ruleset.tables.get('nat');
  if (nat === undefined) return;
  for (const at of rules(nat)) {
    const answer = effectOf(at.rule) === 'nat' ? reach(nat).get(at.rule) : undefined;
    if (answer?.kind !== 'shadowed' || !areTranslating(at, answer.by) || callThatTakes(at, answer.by) !== undefined) continue;
    if (!duplicatesIn(ruleset, nat, at.in).has(at.rule)) yield { at, by: answer.by };
  }
}
