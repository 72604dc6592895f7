/** Suppressions inside a rule, `-m comment --comment "… lint:off=CHECK reason"`: they live in the kernel, and come back with `iptables-save`. */
import type { SourceText, Span } from '../../grammar/source-text.js';
import type { OptionNode } from '../../grammar/syntax.js';
import { ExtensionOption } from '../extensions/option-scope.js';
import type { Rule, Ruleset } from '../model/ruleset.js';
import { ruleOptions } from '../model/spans.js';
import { readWords } from './read-words.js';
import { withoutComment, withoutName, withoutNote } from './take-away.js';
import type { ReadSuppressions, Suppression, WrongSuppression } from './suppression.js';

const sign = 'lint:off=';

/** The options of a rule that carry a note. */
function comments(ruleset: Ruleset, rule: Rule): readonly OptionNode[] {
  const isComment = ({ shape, args }: OptionNode): boolean => shape instanceof ExtensionOption && shape.extension.name === 'comment' && args[0]?.text.includes(sign) === true;
  return ruleset.source.text.slice(rule.start, rule.end).includes(sign) ? ruleOptions(ruleset, rule).filter(isComment) : [];
}

/** Where the notes of a comment stand: each ends where the next begins, or with the comment, before its closing quote. */
function placesIn(text: string, { start, end }: OptionNode): readonly Span[] {
  const raw = /^(?:\\.|[^\\])*?(?=["']?$)/su.exec(text.slice(start, end))?.[0] ?? '';
  return [...raw.matchAll(/lint:off=(?:(?!lint:off=).)*/gsu)].map(({ index, 0: note }) => ({ start: start + index, end: start + index + note.trimEnd().length }));
}

function ofRule(ruleset: Ruleset, rule: Rule): ReadSuppressions {
  const { text } = ruleset.source;
  const suppressions: Suppression[] = [];
  const wrong: WrongSuppression[] = [];
  for (const option of comments(ruleset, rule)) {
    const [before = '', ...notes] = option.args[0]?.text.split(sign) ?? [];
    const isAlone = before.trim() === '' && notes.length === 1;
    for (const [index, span] of placesIn(text, option).entries()) {
      const { checks, until, rest: reason } = readWords(notes[index] ?? '', true);
      if (checks.length === 0) wrong.push({ message: 'it names no check', span, help: `name what is meant: ${sign}CHECK reason` });
      for (const check of checks) {
        const away = checks.length > 1 ? withoutName(text, span.start + sign.length, checks, check) : isAlone ? withoutComment(text, ruleOptions(ruleset, rule), option) : withoutNote(text, span);
        suppressions.push({ checks: [check], reason, until, span, covers: { start: rule.start, end: rule.end }, ...away });
      }
    }
  }
  return { suppressions, wrong };
}

export function suppressionsInRules({ text }: SourceText, rulesets: readonly Ruleset[]): ReadSuppressions {
  if (!text.includes(sign)) return { suppressions: [], wrong: [] };
  const seen = new Set<number>();
  const read = rulesets.flatMap(ruleset => [...ruleset.tables.values()].flatMap(({ chains }) => [...chains.values()].flatMap(({ rules }) => rules.flatMap(rule => {
    if (seen.has(rule.start)) return [];
    seen.add(rule.start);
    return ofRule(ruleset, rule);
  }))));
  return { suppressions: read.flatMap(one => one.suppressions), wrong: read.flatMap(one => one.wrong) };
}
