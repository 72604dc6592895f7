/** Edits of whole lines, for fixes of checks. */
import { lineStarts, positionAt, type Span } from '../../../grammar/source-text.js';
import type { Edit } from '../../finding.js';
import type { Chain, Rule, Ruleset, Table } from '../../model/ruleset.js';

/** What may stand before a rule in its line: counters. */
const before = /^(?:\[\d+:\d+\][ \t]*)?$/u;

/** The line on which an offset lies, with its line end. */
function lineAt({ source }: Ruleset, offset: number): Span {
  const starts = lineStarts(source);
  const { line } = positionAt(source, offset);
  return { start: starts[line - 1] ?? 0, end: starts[line] ?? source.text.length };
}

/**
 * The whole line of a rule or of a chain's declaration; undefined where it is not alone on its line, or is a command of a script: what
 * else a shell does with that line cannot be known.
 */
function wholeLine(ruleset: Ruleset, span: Span): Span | undefined {
  const { text } = ruleset.source;
  const line = lineAt(ruleset, span.start);
  const own = text.slice(span.start, span.end);
  const isAlone = before.test(text.slice(line.start, span.start)) && text.slice(span.end, line.end).trim() === '';
  return isAlone && /^(?:\[\d+:\d+\]|-|:)/u.test(own) ? line : undefined;
}

/** Takes away the lines of rules and declarations; undefined where one of them is no line of its own. */
export function withoutLines(ruleset: Ruleset, spans: readonly Span[]): readonly Edit[] | undefined {
  const lines = spans.map(span => wholeLine(ruleset, span));
  const edits = new Map<number, Edit>();
  for (const line of lines) {
    if (line === undefined) return undefined;
    edits.set(line.start, { span: line, text: '' });
  }
  return [...edits.values()].sort((a, b) => a.span.start - b.span.start);
}

function lineEnd({ source: { text } }: Ruleset): string {
  return /\r?\n/u.exec(text)?.[0] ?? '\n';
}

/** Where a rule is to be put in to be the first of its chain; undefined where the file does not say where the chain is. */
function headOf(ruleset: Ruleset, table: Table, chain: Chain): number | undefined {
  const [first] = chain.rules;
  if (first !== undefined) return wholeLine(ruleset, first)?.start;
  // Behind the last line of the table that is a declaration or a rule.
  const spans = [...table.chains.values()].flatMap(one => [...one.line === 0 ? [] : [one.span], ...one.rules.slice(-1)]);
  const [last] = spans.sort((a, b) => b.start - a.start);
  const line = last === undefined ? undefined : wholeLine(ruleset, last);
  return line === undefined || !ruleset.source.text.slice(line.start, line.end).endsWith('\n') ? undefined : line.end;
}

/** Puts rules in as the first of a chain. `words`: of each rule, what stands behind `-A CHAIN`. */
export function withFirst(ruleset: Ruleset, table: Table, chain: Chain, words: readonly string[]): readonly Edit[] | undefined {
  const at = headOf(ruleset, table, chain);
  return at === undefined ? undefined : [{ span: { start: at, end: at }, text: words.map(one => `-A ${chain.name} ${one}${lineEnd(ruleset)}`).join('') }];
}

/** Moves the line of a rule before that of another. */
export function withMoved(ruleset: Ruleset, rule: Rule, to: Rule): readonly Edit[] | undefined {
  const [from, target] = [wholeLine(ruleset, rule), wholeLine(ruleset, to)];
  const text = from === undefined ? '' : ruleset.source.text.slice(from.start, from.end);
  if (from === undefined || target === undefined || !text.endsWith('\n')) return undefined;
  return [{ span: { start: target.start, end: target.start }, text }, { span: from, text: '' }];
}

/** One rule in place of several: `text` where the first stands. */
export function withMerged(ruleset: Ruleset, [first, ...others]: readonly Rule[], text: string): readonly Edit[] | undefined {
  if (first === undefined || wholeLine(ruleset, first) === undefined) return undefined;
  const gone = withoutLines(ruleset, others);
  const own = ruleset.source.text.slice(first.start, first.end);
  const counters = /^\[\d+:\d+\][ \t]*/u.exec(own)?.[0].length ?? 0;
  return gone === undefined ? undefined : [{ span: { start: first.start + counters, end: first.end }, text }, ...gone];
}
