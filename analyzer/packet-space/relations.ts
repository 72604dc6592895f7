/** How the rules of a table stand to earlier ones. */
import type { Table } from '../model/ruleset.js';
import type { Overlap, PartlyShadowed, Relation } from './answers.js';
import { ruleAt } from './compile.js';
import { overlapsOf } from './overlaps.js';
import { partlyOf } from './partly-shadowed.js';
import { placeOf } from './question.js';
import { reach } from './reach.js';
import { spaceOf, type PacketSpace } from './space.js';

/** Look-ups for a whole table; what is left then is undecided. */
const tableBudget = 10_000_000;
const ruleBudget = { cells: 400, work: 20_000 };
/** So many takers are listed for each rule. */
const takers = 4;

/**
 * What stands between each live rule of a table and earlier live ones: which are partly shadowed, correlated, or more
 * general than exceptions before them. Shadowed and redundant rules are told by `reach` and `redundant`.
 */
export function* relations(space: PacketSpace, table: Table): Generator<Relation, void> {
  reach(space, table);
  const known = spaceOf(space, table);
  const { compiled, found } = known;
  let left = tableBudget;
  for (let number = 0; number < compiled.ruleCount; number++) {
    if (!found.has(number)) continue;
    const rule = ruleAt(compiled, number);
    if (left <= 0) {
      yield { rule, kind: 'undecided' };
      continue;
    }
    const place = placeOf(known, number);
    const budget = { ...ruleBudget };
    const { correlated, generalization } = overlapsOf(known, place, other => found.has(other));
    const answers: readonly (PartlyShadowed | Overlap)[] = [partlyOf(known, place, takers, budget), correlated, generalization];
    left -= ruleBudget.work - budget.work + 1;
    for (const answer of answers) if (answer.kind !== 'no' && answer.kind !== 'undecided') yield withRule(answer, rule);
    if (answers.some(({ kind }) => kind === 'undecided')) yield { rule, kind: 'undecided' };
  }
}

/** The answer about a rule; witnesses stay unmade until they are looked at. */
function withRule(answer: Extract<PartlyShadowed | Overlap, { more: boolean }>, rule: Relation['rule']): Relation {
  return Object.defineProperty(answer, 'rule', { value: rule, enumerable: true }) as Relation;
}
