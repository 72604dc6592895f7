/** Suppressions inside a rule, `-m comment --comment "… lint:off=CHECK reason"`: they live in the kernel, and come back with `iptables-save`. */
import type { SourceText } from '../../grammar/source-text.js';
import type { Rule, Ruleset } from '../model/ruleset.js';
import { readWords } from './read-words.js';
import { withoutName, withoutNote } from './take-away.js';
import type { ReadSuppressions, Suppression } from './suppression.js';

const sign = 'lint:off=';

/** The rest of the comment that begins at `at`: up to its quote, or to the blank where it has none. */
function restOf(text: string, rule: Rule, at: number): string | undefined {
  const before = text.slice(rule.start, at);
  const option = /--comment\s+(?:(["'])[^"'\n]*|[^\s"']*)$/u.exec(before);
  if (option === null) return undefined;
  const quote = option[1];
  const rest = text.slice(at, rule.end);
  return quote === undefined ? /^\S*/u.exec(rest)?.[0] : rest.slice(0, rest.includes(quote) ? rest.indexOf(quote) : undefined);
}

function ofRule(text: string, rule: Rule): readonly Suppression[] {
  const found: Suppression[] = [];
  for (let at = text.indexOf(sign, rule.start); at !== -1 && at < rule.end; at = text.indexOf(sign, at + 1)) {
    const rest = restOf(text, rule, at);
    if (rest === undefined) continue;
    const { checks, until, rest: reason } = readWords(rest.slice(sign.length), true);
    const end = at + rest.trimEnd().length;
    const fixFor = (check: string): Pick<Suppression, 'fix'> => checks.length > 1 ? withoutName(text, at + sign.length, checks, check) : withoutNote(text, rule, at, end);
    for (const check of checks) found.push({ checks: [check], reason, until, span: { start: at, end }, covers: { start: rule.start, end: rule.end }, ...fixFor(check) });
  }
  return found;
}

export function suppressionsInRules({ text }: SourceText, rulesets: readonly Ruleset[]): ReadSuppressions {
  if (!text.includes(sign)) return { suppressions: [], wrong: [] };
  const seen = new Set<number>();
  const suppressions = rulesets.flatMap(({ tables }) => [...tables.values()].flatMap(({ chains }) => [...chains.values()].flatMap(({ rules }) => rules.flatMap(rule => {
    if (seen.has(rule.start)) return [];
    seen.add(rule.start);
    return ofRule(text, rule);
  }))));
  return { suppressions, wrong: [] };
}
