/** What becomes of a rule's packets where it does not match them. */
import type { Table } from '../model/ruleset.js';
import type { Decider, Fate, PacketSample, RuleAt } from './answers.js';
import { policyOf } from './compile.js';
import { allFates } from './effect.js';
import { inOrder } from './explain.js';
import { follow, markOf, numberOf, placeOf, regionsOf, searchAll, type RulePlace } from './question.js';
import type { Query } from './query.js';
import { sampleOf } from './sample.js';
import { freshBudget } from './search.js';
import { makeQuery, spaceOf, type PacketSpace, type TableSpace } from './space.js';
import { Traversal } from './traverse.js';

export type Otherwise =
  | { readonly kind: 'yes'; readonly witness: PacketSample }
  /** `by`: who decides about them in place of the rule. */
  | { readonly kind: 'no'; readonly by: readonly Decider[] }
  | { readonly kind: 'undecided' };

/**
 * Whether some packet that comes to a rule, and that it may match, can end in one of `fates` where it does not: where the
 * limit, or what else it hangs on, says no. `other`: in another fate than the rule's own, or noticed on the way (logging).
 * A `yes` for fates by name holds whatever is unknown behind the rule; so does each `no` for `other`.
 */
export function otherwise(space: PacketSpace, table: Table, at: RuleAt, fates: readonly Fate[] | 'other'): Otherwise {
  const known = spaceOf(space, table);
  const number = numberOf(known, at);
  if (known.compiled.cyclic || number === undefined || known.left <= 0) return { kind: 'undecided' };
  const place = placeOf(known, number);
  const budget = freshBudget();
  const before = budget.work;
  const by: Decider[] = [];
  const rules = new Set<number>();
  for (const hook of regionsOf(known, place)) {
    const query = queryOf(known, place, hook.base, fates);
    const outcome = searchAll(known, hook.regions, budget, (point, region) => {
      const examined = follow(query, point, region);
      for (const rule of examined.run.deciders) if (rule >= 0) rules.add(rule); else if (by.every(one => one.chain !== hook.hook)) by.push(policyOf(known.compiled, hook.base));
      return examined;
    });
    known.left -= before - budget.work;
    if (outcome.kind === 'undecided') return outcome;
    if (outcome.kind === 'found') return { kind: 'yes', get witness() { return sampleOf(known.compiled, outcome, point => new Traversal(query, point).goal !== undefined); } };
  }
  return { kind: 'no', by: [...inOrder(known, rules), ...by] };
}

function queryOf(space: TableSpace, place: RulePlace, base: TableSpace['built'][number]['chain'], fates: readonly Fate[] | 'other'): Query {
  const { compiled } = space;
  const mark = markOf(space, place, 'start');
  if (fates !== 'other') return makeQuery(compiled, base, { mark, goals: fates.reduce((mask, fate) => mask | compiled.fates.maskOf(fate), 0), strict: true });
  const own = compiled.boxes.bits[compiled.start[place.number] ?? 0] ?? 0;
  return makeQuery(compiled, base, { mark, goals: compiled.fates.isOneFate(own) ? allFates & ~own : allFates });
}
