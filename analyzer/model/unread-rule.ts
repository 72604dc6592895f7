/** What stands for a rule that could not be read, and where. */
import type { CommandStatement } from '../../grammar/syntax.js';
import type { BuiltInKey } from '../extensions/built-in-options.js';
import { BuiltInOption } from '../extensions/option-scope.js';
import type { ChainDraft, TableDraft } from './draft.js';
import { optionWords, type PartOfRule } from './read-rule.js';
import { unreadUse, type Counters, type Rule, type RuleTarget } from './ruleset.js';

/** It may ask for anything more than is said, and where it is not said in a word or by a jump it may do anything. */
export function unreadRule(statement: CommandStatement, table: TableDraft, { target: said, ...asked }: PartOfRule, counters: Counters | undefined): Rule {
  const use = unreadUse(optionWords(statement.options));
  const target = said ?? jumpOf(statement, table);
  return {
    ...asked, inInterface: undefined, outInterface: undefined,
    // One unknown is as good as two.
    matches: target === undefined ? [] : [use], target: target ?? { kind: 'opaque', use },
    line: statement.line, start: statement.start, end: statement.end, counters, isUnread: true,
  };
}

/** The jump to a chain of the user's that is there. */
function jumpOf({ options }: CommandStatement, table: TableDraft): RuleTarget | undefined {
  for (const { shape, args: [word] } of options) {
    if (!(shape instanceof BuiltInOption) || (shape.key !== 'j' && shape.key !== 'g') || word === undefined) continue;
    const callee = table.chain(word.text);
    if (callee !== undefined && callee.hook === undefined) return { kind: 'chain', name: word.text, goto: shape.key === 'g' };
  }
  return undefined;
}

/** The rules around one that could not be read keep their numbers, and what stands behind it is reached only where it may go on. */
export function keepPlace(chain: ChainDraft, rule: Rule, key: BuiltInKey | undefined, number: number | undefined): void {
  const index = Math.min((number ?? 1) - 1, chain.rules.length);
  if (key === 'A') chain.rules.push(rule);
  else if (key === 'I') chain.rules.splice(index, 0, rule);
  else if (key === 'R' && number !== undefined && number <= chain.rules.length) chain.rules[number - 1] = rule;
}
