/** Spans inside a rule. They are not kept, but for those of the last: the rule's text is read again when one is asked for. */
import { scanWords } from '../../grammar/scan-restore-line.js';
import { commandWords } from '../../grammar/scan-shell.js';
import { constantsOf } from '../../grammar/script-constants.js';
import type { Span } from '../../grammar/source-text.js';
import { parseStatement } from '../../grammar/statement-parser.js';
import type { OptionNode } from '../../grammar/syntax.js';
import type { Token } from '../../grammar/tokens.js';
import { BuiltInOption, startScope } from '../extensions/option-scope.js';
import type { Rule, Ruleset } from './ruleset.js';

/** The rule that was asked about last: one line can have thousands of mistakes. */
const last = new WeakMap<Ruleset, { readonly rule: Rule; readonly options: readonly OptionNode[] }>();

/** The options of a rule as they stand in the file, with their spans. */
export function ruleOptions(ruleset: Ruleset, rule: Rule): readonly OptionNode[] {
  const known = last.get(ruleset);
  if (known?.rule === rule) return known.options;
  const options = readOptions(ruleset, rule);
  last.set(ruleset, { rule, options });
  return options;
}

/** The words of a rule. A command of a script begins with a program, and is cut as a shell does. */
function wordsOf({ source: { text } }: Ruleset, { start, end }: Rule): Token[] {
  if (/[\w/$"]/u.test(text.charAt(start))) return commandWords(text, { start, end }, constantsOf(text));
  const words: Token[] = [];
  scanWords(text, start, end, words, []);
  return words;
}

function readOptions(ruleset: Ruleset, rule: Rule): readonly OptionNode[] {
  const statement = parseStatement(wordsOf(ruleset, rule), rule, startScope(ruleset.family), [], true);
  return statement.kind === 'command' ? statement.options : [];
}

/** The span of the first option that `wanted` accepts, from its `!` to its last word; the whole rule where there is none. */
export function optionSpan(ruleset: Ruleset, rule: Rule, wanted: (option: OptionNode) => boolean): Span {
  const option = ruleOptions(ruleset, rule).find(wanted);
  return option === undefined ? { start: rule.start, end: rule.end } : { start: option.start, end: option.end };
}

/** The span of the word that names a match, target or chain (`-m NAME`, `-j NAME`, `-g NAME`); the whole rule where none does. */
export function namedSpan(ruleset: Ruleset, rule: Rule, name: string): Span {
  for (const option of ruleOptions(ruleset, rule)) {
    const [word] = option.args;
    if (option.shape instanceof BuiltInOption && 'mjg'.includes(option.shape.key) && word?.text === name) return { start: word.start, end: word.end };
  }
  return { start: rule.start, end: rule.end };
}
